//! What `cargo ota build` leaves for a board, against what its help and the documentation say of it.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::board::top;
use crate::world::World;

/// Every file is there, is told of, and says the same as the others.
pub(crate) fn is_whole(world: &World, folder: &Path, board: &str) {
    let read = |name: &str| {
        std::fs::read(folder.join(name)).unwrap_or_else(|why| panic!("{board}: {name}: {why}"))
    };
    let json = |name: &str| -> Value { serde_json::from_slice(&read(name)).expect("JSON") };
    let help = String::from_utf8(world.run(&["build", "--help"]).stdout).expect("UTF-8");
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let name = entry.expect("readable").file_name().into_string().expect("UTF-8");
        assert!(name.ends_with(".elf") || help.contains(&name), "{name} is not in the help");
    }
    assert!(!read("firmware.elf").is_empty() && !read("bootloader.elf").is_empty());
    assert!(!read("bootloader.bin").is_empty());

    let image = read("update.img");
    let manifest = json("update.json");
    assert_eq!((&manifest["board"], &manifest["size"]), (&board.into(), &image.len().into()));
    let digest: String = Sha256::digest(&image).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(manifest["sha256"], digest);
    assert_eq!(json("job.json")["afr_ota"]["files"][0]["filesize"], image.len());
    let payload = read("firmware.bin");
    assert!(image.windows(payload.len()).any(|part| part == payload), "the image carries it");

    let file = top("ota.toml");
    let document = coreota_config::load(Path::new(&file), "ota.toml").expect("readable");
    let model = coreota_config::check(&document).expect("good");
    let device = model.device(board).expect("declared");
    let factory = read("factory.bin");
    let slot = &factory[device.layout.primary.start as usize..];
    assert!(slot.starts_with(&image), "the factory's flash begins with the same image");

    // Only what ota.toml chose for the board is linked.
    let sizes = json("sizes.json");
    let linked: BTreeSet<&str> =
        sizes["chosen"].as_object().expect("named").keys().map(|name| name.as_str()).collect();
    let boot = match device.bootloader.kind() {
        "mcuboot" => "boot::mcuboot",
        _ => "boot::embassy",
    };
    let chosen = [boot, "job::aws_iot", "parser::afr_ota", "transport::mqtt_stream"];
    assert_eq!(linked, BTreeSet::from(chosen));
    assert_eq!(sizes["formatting"], 0, "nothing formats");
    let parts = sizes["parts"].as_object().expect("named");
    for part in ["embedded_tls", "aes", "rfc6979"] {
        assert_eq!(parts.contains_key(part), device.tls, "{part} is for TLS");
    }
}
