//! Key files: there, readable, public, and of the algorithm they are declared with.

use crate::Document;
use crate::der::{self, Found};
use crate::diagnostic::{At, Errors};
use crate::keys::{Algorithm, Role, Root, TrustedKey, Verify};
use crate::model::{Device, Key};

/// Keys that a verifier looks at.
const KEYS: usize = 32;

/// The keys of a board that `needs` them for these.
pub(super) fn keys(
    document: &Document,
    verify: &Verify,
    needs: &[Role],
    errors: &mut Errors,
) -> Option<Vec<Key>> {
    let (require, trusted) = (verify.require.0.as_ref()?, verify.key.0.as_ref()?);
    if let Some(one_too_many) = trusted.get(KEYS) {
        let right = format!("at most {KEYS}: a device looks at no more");
        errors.add(one_too_many.span.clone(), "there are too many keys", right);
    }
    required(require, trusted, needs, errors);
    for (index, key) in trusted.iter().enumerate() {
        for (place, role) in key.r#for.iter().enumerate() {
            if key.r#for.iter().take(place).any(|before| before.value == role.value) {
                let wrong = format!("`{}` is named twice", role.word());
                errors.add(role.span.clone(), wrong, "name it once");
            }
        }
        if trusted.iter().take(index).any(|before| before.id.value == key.id.value) {
            let wrong = format!("there is a key `{}` already", key.id.0);
            errors.add(key.id.span.clone(), wrong, "give it another `id`");
        }
    }
    let keys: Vec<Option<Key>> = trusted.iter().map(|key| read(document, key, errors)).collect();
    let keys: Vec<Key> = keys.into_iter().collect::<Option<_>>()?;
    let required = |key: &Key| require.iter().any(|required| required.value == key.algorithm);
    let needed = |key: &Key| needs.iter().any(|role| key.roles.contains(role));
    Some(keys.into_iter().filter(|key| required(key) && needed(key)).collect())
}

/// Every algorithm is required once, and has a key for each thing to sign.
fn required(
    require: &[At<Algorithm>],
    trusted: &[At<TrustedKey>],
    needs: &[Role],
    errors: &mut Errors,
) {
    for (index, required) in require.iter().enumerate() {
        let word = required.value.word();
        if require.iter().take(index).any(|before| before.value == required.value) {
            errors.add(
                required.span.clone(),
                format!("`{word}` is required twice"),
                "name it once",
            );
            continue;
        }
        let of_algorithm = || trusted.iter().filter(|key| key.algorithm.value == required.value);
        if of_algorithm().next().is_none() {
            let wrong = format!("`{word}` is required and no key is trusted for it");
            errors.add(required.span.clone(), wrong, "add a `[[verify.key]]` of that algorithm");
            continue;
        }
        for role in needs {
            if !of_algorithm().any(|key| may_sign(key, *role)) {
                let (role, what) = match role {
                    Role::Image => (role.word(), "an image"),
                    Role::Plugin => (role.word(), "a plugin"),
                };
                let wrong = format!("`{word}` is required and no key of it may sign {what}");
                let right =
                    format!("add `for = [\"{role}\"]` to a `[[verify.key]]` of that algorithm");
                errors.add(required.span.clone(), wrong, right);
            }
        }
    }
}

fn may_sign(key: &TrustedKey, role: Role) -> bool {
    key.r#for.iter().any(|may| may.value == role)
}

/// Every key must be trusted by some board, or it only seems to be.
pub(super) fn keys_used(root: &Root, boards: &[Device], errors: &mut Errors) {
    let declared = root.verify.0.iter().flat_map(|verify| verify.key.0.iter().flatten());
    for key in declared {
        let trusts =
            |device: &Device| device.keys.iter().any(|trusted| trusted.id.span == key.span);
        if !boards.iter().any(trusts) {
            let required = |device: &Device| {
                let mut required = device.verify.require.0.iter().flatten();
                required.any(|required| required.value == key.algorithm.value)
            };
            let right = match boards.iter().any(required) {
                true => "no board takes plugins over the air: add \"image\" to its `for`, or remove the key".into(),
                false => format!("add \"{}\" to `require`, or remove the key", key.algorithm.word()),
            };
            errors.add(key.span.clone(), format!("the key `{}` is never used", key.id.0), right);
        }
    }
}

fn read(document: &Document, key: &At<TrustedKey>, errors: &mut Errors) -> Option<Key> {
    let mut refuse = |wrong: String, right: &str| {
        errors.add(key.file.span.clone(), wrong, right);
        None
    };
    let named = &key.file.0;
    let text = match (document.read)(&document.folder.join(named)) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return refuse(
                format!("there is no file `{named}`"),
                "the path is from the folder of this file; `cargo ota keygen` makes keys",
            );
        }
        Err(error) => {
            return refuse(format!("`{named}` cannot be read: {error}"), "a file that may be read");
        }
    };
    let public = "the public key; `cargo ota keygen` and `openssl pkey -pubout` write it";
    let (found, bytes) = match der::public_key(&text) {
        Found::P256(point) => (Algorithm::EcdsaP256, point),
        Found::Ed25519(point) => (Algorithm::Ed25519, point),
        Found::Private => {
            return refuse(
                format!("`{named}` holds a private key: it must never be on a device"),
                public,
            );
        }
        Found::Other(what) => {
            let right = format!("a key for {}", key.algorithm.word());
            return refuse(format!("`{named}` holds {what}"), &right);
        }
        Found::Nothing(why) => {
            return refuse(format!("`{named}` holds no public key: {why}"), public);
        }
    };
    if found != key.algorithm.value {
        let wrong =
            format!("`{named}` holds a key for {}, not for {}", found.word(), key.algorithm.word());
        let right = format!("`algorithm = \"{}\"`, or another file", found.word());
        return refuse(wrong, &right);
    }
    let id = At::new(key.id.0.clone(), key.span.clone());
    let roles = key.r#for.iter().map(|role| role.value).collect();
    Some(Key { id, algorithm: found, bytes, file: named.into(), roles })
}
