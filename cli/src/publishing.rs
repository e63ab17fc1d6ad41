//! What publishing anything takes: reading it, naming its job and stream, following it to its end.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use coreota::descriptor::Algorithm;
use sha2::{Digest, Sha256};

use crate::control::{Connection, Reply, Request};
use crate::error::{Error, Exit, Result};
use crate::keys;
use crate::out::Out;
use crate::provider::names::FILE_MAX;
use crate::provider::state::Status;
use crate::report::Live;
use crate::store::hex;

/// A file that a stream can carry.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes =
        fs::read(path).map_err(|error| Error::file("read", path, error).fix("check the path"))?;
    match bytes.len() as u64 {
        1..=FILE_MAX => Ok(bytes),
        size => Err(Error::file("publish", path, format!("it has {size} bytes"))
            .fix(format!("a stream carries 1 to {FILE_MAX} bytes"))),
    }
}

/// A signature over a whole file, as a job carries it: DER.
pub(crate) fn sign(key: &Path, file: &[u8]) -> Result<Vec<u8>> {
    let signer = keys::private(key)?;
    if signer.algorithm() != Algorithm::EcdsaP256 {
        let why = format!("it is an {} key", keys::word(signer.algorithm()));
        return Err(Error::file("sign with", key, why).fix(
            "a job carries ecdsa-p256 signatures; `cargo ota sign` puts others inside the image",
        ));
    }
    Ok(signer.detached(file))
}

/// Shows a job until no thing has it pending any more.
pub(crate) fn follow(state: &Path, job: &str, out: &Out) -> Result<()> {
    let mut provider = Connection::open(state)?;
    let mut live = Live::new(out);
    let mut ends = BTreeMap::new();
    let mut reply = Some(provider.ask(Request::Watch)?);
    loop {
        let rows = match reply {
            Some(Reply::Status(snapshot)) => snapshot.rows,
            Some(Reply::Change(row)) => vec![row],
            Some(_) => Vec::new(),
            None => {
                let what = format!("the provider stopped before {job} was over");
                return Err(Error::new(Exit::Network, what).fix("start it again: it goes on"));
            }
        };
        for row in rows.into_iter().filter(|row| row.job == job) {
            live.show(&row);
            ends.insert(row.thing, row.status);
        }
        if ends.values().all(|status| status.is_terminal()) {
            break;
        }
        reply = provider.next()?;
    }
    let failed: Vec<_> = ends.into_iter().filter(|(_, s)| *s != Status::Succeeded).collect();
    match failed.len() {
        0 => Ok(()),
        _ => {
            let failed = failed.iter().map(|(thing, status)| format!("{thing} {}", status.word()));
            let what = format!("{job} did not succeed: {}", failed.collect::<Vec<_>>().join(", "));
            Err(Error::new(Exit::No, what))
        }
    }
}

/// `ota-`, the beginning of the digest, and a random number: the same image may be published again.
pub(crate) fn job_id(digest: &[u8]) -> Result<String> {
    let mut random = [0; 4];
    getrandom::fill(&mut random).map_err(|error| {
        let what = format!("cannot make a job id: {error}");
        Error::new(Exit::File, what).fix("give one with --job")
    })?;
    Ok(format!("ota-{}-{}", hex(&digest[..4]), hex(&random)))
}

/// The name AWS would give: AFR_OTA- and a UUID, here a version 8 one (RFC 9562) made of job and image.
pub(crate) fn stream_name(digest: &[u8], job: &str) -> String {
    let mut id = [0; 16];
    let seed = Sha256::new().chain_update(digest).chain_update(job).finalize();
    id.copy_from_slice(&seed[..16]);
    id[6] = id[6] & 0x0f | 0x80;
    id[8] = id[8] & 0x3f | 0x80;
    let id = hex(&id);
    format!("AFR_OTA-{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_name_has_44_characters_and_depends_on_job_and_image() {
        let name = stream_name(&[1], "j");
        assert_eq!(name.len(), 44);
        assert!(crate::provider::names::is_stream(&name));
        assert_ne!(name, stream_name(&[1], "k"));
        assert_ne!(name, stream_name(&[2], "j"));
    }
}
