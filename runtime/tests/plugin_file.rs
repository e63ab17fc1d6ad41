//! The signed file of a plugin: what is written is read again, and it is no image.
#![cfg(all(feature = "image", feature = "ecdsa-p256", feature = "ed25519"))]

use coreota::{
    descriptor::Algorithm,
    image::{About, AboutPlugin, PluginFile, Signer, Unbuildable, plugin, read, trailer},
    plugin::{Content, Facts},
    verify::{
        algorithms::{Algorithms, EcdsaP256, Ed25519},
        formats::Trailer,
    },
    version::Version,
};

const MODULE: &[u8] = b"\0asm\x01\0\0\0 and more";

fn facts(content: Content) -> Facts {
    Facts {
        content,
        abi: 1,
        kind: 2,
        arena: 12_000,
        fuel: 50_000,
        memory: 2_400,
        len: MODULE.len() as u32,
        version: Version::new(1, 2, 3),
    }
}

fn file(name: &str, content: Content, board: Option<&str>) -> Result<Vec<u8>, Unbuildable> {
    let about = About { version: Version::new(1, 2, 3), board, counter: None };
    let signer = Signer::new(Algorithm::EcdsaP256, &[7; 32]).unwrap();
    plugin(MODULE, &about, &AboutPlugin { name, facts: facts(content) }, &[signer])
}

#[test]
fn what_is_written_is_read() {
    for board in [None, Some("thermostat-b")] {
        for content in [Content::Plugin, Content::Table] {
            let file = file("site-jobs", content, board).unwrap();
            let read = PluginFile::read(&file).unwrap();
            assert_eq!((read.name, read.facts, read.board), ("site-jobs", facts(content), board));
            assert_eq!((read.module, read.whole), (MODULE, true));
            let [signature] = read.signatures().collect::<Vec<_>>()[..] else { panic!("one") };
            let key = Signer::new(Algorithm::EcdsaP256, &[7; 32]).unwrap();
            assert!(key.fingerprint().starts_with(signature.key_id));
            type Both = (EcdsaP256, Ed25519);
            let holds =
                |signed| Both::holds(signature.algorithm, &key.public(), signed, signature.value);
            assert!(holds(&read.signed) && !holds(&[0; 32]));
            let mut file = file.clone();
            file[9] ^= 1;
            assert!(!PluginFile::read(&file).unwrap().whole);
        }
    }
}

#[test]
fn a_plugin_is_no_image_and_an_image_no_plugin() {
    let file = file("site-jobs", Content::Plugin, None).unwrap();
    assert!(read::<Trailer>(&file, &mut |_| ()).is_err());
    let about = About { version: Version::new(1, 0, 0), ..About::default() };
    assert_eq!(PluginFile::read(&trailer(MODULE, &about, &[]).unwrap()), None);
}

#[test]
fn damaged_files_are_no_panic() {
    let file = file("a", Content::Plugin, Some("b")).unwrap();
    for end in 0..file.len() {
        assert_eq!(PluginFile::read(&file[..end]), None);
    }
    for bit in 0..8 * file.len() {
        let mut file = file.clone();
        file[bit / 8] ^= 1 << (bit % 8);
        PluginFile::read(&file).map(|read| read.signatures().count());
    }
}

#[test]
fn names_and_contents_that_no_device_takes_are_not_built() {
    assert_eq!(file("", Content::Plugin, None), Err(Unbuildable::Plugin));
    assert_eq!(file(&"n".repeat(33), Content::Plugin, None), Err(Unbuildable::Plugin));
    assert_eq!(file("n", Content::Image, None), Err(Unbuildable::Plugin));
    assert!(file(&"n".repeat(32), Content::Plugin, None).is_ok());
}
