//! Mutual TLS between a real board and mosquitto, with certificates that the tool made: the board updates
//! itself over it, and says in plain words who is not its broker. OpenSSL makes what the tool would not.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::board::{Board, build, ended, publish};
use crate::firmware::{has_stack_left, received};
use crate::folder;
use crate::world::{World, free_port};

const BOARD: &str = "emcraft-sf2-tls";
const THING: &str = "lamp-1";
/// What must be left of the stack, in bytes, where it is deepest: in the cryptography of a handshake.
const SPARE: u32 = 4 * 1024;

/// A broker that is not the one, its certificate and key, whose devices it trusts, and what is said of it.
struct Stranger {
    certificate: &'static str,
    key: &'static str,
    devices_of: &'static str,
    said: &'static str,
}

const STRANGERS: &[Stranger] = &[
    Stranger {
        certificate: "other/broker.pem",
        key: "other/broker.key.pem",
        devices_of: "pki/ca.pem",
        said: "the certificates do not lead to the root that is trusted",
    },
    Stranger {
        certificate: "elsewhere/broker.pem",
        key: "elsewhere/broker.key.pem",
        devices_of: "pki/ca.pem",
        said: "the certificate is for another host",
    },
    // Who has a device's key makes a broker of it, or signs one.
    Stranger {
        certificate: "pki/thief.pem",
        key: "pki/thief.key.pem",
        devices_of: "pki/ca.pem",
        said: "the certificate is not for a TLS server",
    },
    Stranger {
        certificate: "forged.pem",
        key: "forged.key.pem",
        devices_of: "pki/ca.pem",
        said: "the certificate of no CA signed another",
    },
    Stranger {
        certificate: "agrees.pem",
        key: "agrees.key.pem",
        devices_of: "pki/ca.pem",
        said: "a certificate's key is not for what it is used for",
    },
    // Its certificate is in order, and it takes none of ours.
    Stranger {
        certificate: "pki/broker.pem",
        key: "pki/broker.key.pem",
        devices_of: "other/ca.pem",
        said: "the server ended the connection at once: it does not take the device's certificate",
    },
];

#[test]
fn a_board_updates_itself_over_mutual_tls_and_with_nobody_else() {
    let mut world = World::idle();
    make_certificates(&world);
    let ports: Vec<u16> = STRANGERS.iter().map(|_| free_port()).collect();
    let broker = free_port();
    let log = world.dir.join("mosquitto.log");
    let mut settings = format!("user root\nlog_type all\nlog_dest file {}\n", log.display());
    settings += &listener(&world.dir, broker, "pki/broker.pem", "pki/broker.key.pem", "pki/ca.pem");
    for (stranger, port) in STRANGERS.iter().zip(&ports) {
        let Stranger { certificate, key, devices_of, .. } = stranger;
        settings += &listener(&world.dir, *port, certificate, key, devices_of);
    }
    world.start_mosquitto(&settings);
    world.serve(&[]);
    let v1 = build(&world, BOARD, "v1", &["--version", "1.0.0"]);
    let v2 = build(&world, BOARD, "v2", &["--version", "2.0.0"]);
    folder::is_whole(&world, &v1, BOARD);
    let boot = |port: u16| {
        let broker = format!("mqtts://10.0.2.2:{port}");
        Board::boot_at(&world, BOARD, "v1", THING, &broker, &["--pki", "pki"])
    };

    for (index, (stranger, port)) in STRANGERS.iter().zip(&ports).enumerate() {
        let mut board = boot(*port);
        let said = format!("link      TLS: {}", stranger.said);
        board.until(&said);
        board.until("; trying again");
        // It does, and comes to nothing better.
        if index == 0 {
            board.until(&said);
        }
    }
    let heard = fs::read_to_string(&log).expect("written");
    assert!(heard.contains("New connection from"), "{heard}");
    assert!(!heard.contains(THING), "a stranger was told who the device is: {heard}");

    publish(&world, "good", THING, &v2.join("update.img").display().to_string());
    let mut board = boot(broker);
    board.until("boot      v1.0.0 runs on emcraft-sf2-tls");
    let (line, _) = board.until("download  ");
    let before = received(&line);
    world.restart_mosquitto();
    let (_, lines) = board.until("verify    whole, authentic, newer, for this board: staged");
    let after: Vec<u32> =
        lines.iter().filter(|line| line.contains("download")).map(received).collect();
    assert!(after.first().is_some_and(|first| *first > before), "{before}, then {after:?}");
    assert!(
        lines.iter().any(|line| line.contains("link      TLS: ")),
        "no link was lost: {lines:?}"
    );
    has_stack_left(&mut board, SPARE);
    board.until("boot      v2.0.0 runs");
    board.until("good: SUCCEEDED, v1.0.0 -> v2.0.0");
    assert_eq!(ended(&world, "good", THING).0, "SUCCEEDED");
    // Who it is, mosquitto has from its certificate.
    let heard = fs::read_to_string(&log).expect("written");
    assert!(heard.contains("as lamp-1 (p5, c1, k30, u'lamp-1')"), "{heard}");
}

fn listener(dir: &Path, port: u16, certificate: &str, key: &str, devices_of: &str) -> String {
    let file = |name: &str| dir.join(name).display().to_string();
    format!(
        "listener {port} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\n\
         use_identity_as_username true\n",
        file(devices_of),
        file(certificate),
        file(key)
    )
}

/// The tool's, and what it does not make: certificates that an attacker would.
fn make_certificates(world: &World) {
    world.events(&["pki", "pki", "--thing", THING, "--thing", "thief"]);
    world.events(&["pki", "other"]);
    fs::create_dir(world.dir.join("elsewhere")).expect("writable");
    for file in ["ca.pem", "ca.key.pem"] {
        let of = |folder: &str| world.dir.join(folder).join(file);
        fs::copy(of("pki"), of("elsewhere")).expect("copied");
    }
    world.events(&["pki", "elsewhere", "--host", "other.example"]);
    let names = "subjectAltName=IP:10.0.2.2";
    sign(&world.dir, "forged", "pki/thief", &["keyUsage=critical,digitalSignature", names]);
    sign(&world.dir, "agrees", "pki/ca", &["keyUsage=critical,keyAgreement", names]);
    let text = |file: &str| fs::read_to_string(world.dir.join(file)).expect("made");
    let chain = text("forged.pem") + &text("pki/thief.pem");
    fs::write(world.dir.join("forged.pem"), chain).expect("writable");
}

/// A certificate with these extensions, signed by whoever has that key.
fn sign(dir: &Path, name: &str, by: &str, extensions: &[&str]) {
    fs::write(dir.join("extensions"), extensions.join("\n")).expect("writable");
    let [key, request, pem] = ["key.pem", "csr", "pem"].map(|ending| format!("{name}.{ending}"));
    let [ca, ca_key] = ["pem", "key.pem"].map(|ending| format!("{by}.{ending}"));
    let subject = format!("/CN={name}");
    let new = ["req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    openssl(dir, &[&new[..], &["-subj", &subject, "-keyout", &key, "-out", &request]].concat());
    let sign = ["x509", "-req", "-in", &request, "-CA", &ca, "-CAkey", &ca_key, "-out", &pem];
    let how = ["-days", "30", "-set_serial", "77", "-sha256", "-extfile", "extensions"];
    openssl(dir, &[&sign[..], &how].concat());
}

fn openssl(dir: &Path, args: &[&str]) {
    let out =
        Command::new("openssl").args(args).current_dir(dir).output().unwrap_or_else(|error| {
            panic!("this test needs openssl ({error}); install it: apt-get install openssl")
        });
    assert!(out.status.success(), "{args:?}: {out:?}");
}

/// The tool's own broker lets in who has a certificate of the CA, and nobody else.
#[test]
fn the_embedded_broker_is_reached_over_mutual_tls_as_well() {
    let mut world = World::idle();
    world.events(&["pki", "pki", "--thing", THING]);
    world.events(&["pki", "other", "--thing", THING]);
    let port = free_port();
    world.serve(&["--tls", "pki", "--tls-listen", &format!("127.0.0.1:{port}")]);
    let knock = |more: &[&str]| {
        let server = format!("127.0.0.1:{port}");
        let mut client = Command::new("openssl");
        client.args(["s_client", "-connect", &server, "-CAfile", "pki/ca.pem", "-tls1_3"]);
        client.args(["-verify_return_error", "-verify_ip", "127.0.0.1", "-ign_eof"]).args(more);
        // MQTT 5, CONNECT of "a"; DISCONNECT.
        let hello = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01a\xe0\x00";
        fs::write(world.dir.join("hello"), hello).expect("writable");
        let hello = fs::File::open(world.dir.join("hello")).expect("readable");
        let out = client.current_dir(&world.dir).stdin(hello).output().expect("openssl is there");
        let said = out.stdout;
        // CONNACK: accepted.
        said.windows(4).any(|bytes| bytes[0] == 0x20 && bytes[2..] == [0, 0])
    };
    let own = format!("pki/{THING}");
    let strangers = format!("other/{THING}");
    let with = |name: &str| {
        ["-cert", &format!("{name}.pem"), "-key", &format!("{name}.key.pem")].map(str::to_owned)
    };
    let with = |name: &str| knock(&with(name).each_ref().map(String::as_str));
    assert!(with(&own), "who belongs to it is let in");
    assert!(!with(&strangers), "a stranger is not");
    assert!(!knock(&[]), "nor who shows nothing");
}
