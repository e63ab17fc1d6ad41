//! What goes with an update image: its manifest, and a job document.

use base64::prelude::{BASE64_STANDARD, Engine};
use coreota::descriptor::Algorithm;
use coreota::image::Signer;
use coreota::version::Version;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Folder, Order};
use crate::board::spelt;
use crate::error::Result;
use crate::job_document::{Facts, afr_ota};
use crate::keys;
use crate::publishing::stream_name;
use crate::store::hex;

/// `update.json` says what the image is, `job.json` is what a provider would tell the device. `cargo ota publish`
/// makes the same document with the stream of its job.
pub(super) fn write(
    order: &Order<'_>,
    folder: &Folder,
    version: Version,
    image: &[u8],
    signers: &[Signer],
) -> Result<()> {
    let digest = Sha256::digest(image);
    let sha256 = hex(&digest);
    let counter = order.model.product.security_counter.value.0;
    let keys = signers.iter().map(|key| {
        json!({ "algorithm": keys::word(key.algorithm()), "fingerprint": hex(&key.fingerprint()) })
    });
    let manifest = json!({
        "product": order.model.product.name.0,
        "board": order.name(),
        "version": spelt(version),
        "security-counter": counter,
        "image": "update.img",
        "size": image.len(),
        "sha256": sha256,
        "keys": keys.collect::<Vec<_>>(),
    });
    let signed = signers.iter().find(|key| key.algorithm() == Algorithm::EcdsaP256);
    let document = afr_ota(&[&Facts {
        stream: stream_name(&digest, order.name()),
        size: image.len() as u64,
        sha256,
        signature: signed.map(|key| BASE64_STANDARD.encode(key.detached(image))),
        version: Some(spelt(version)),
        file_path: "update.img".to_owned(),
        ..Facts::default()
    }]);
    let text = |value: &serde_json::Value| format!("{value:#}\n").into_bytes();
    folder.write("update.json", &text(&manifest))?;
    folder.write("job.json", document.text().as_bytes())
}
