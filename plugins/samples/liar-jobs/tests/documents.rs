//! What the parser makes of the documents in `documents/`, linked natively.

use std::path::Path;

use coreota_plugin::native::Parser;
use coreota_plugin_pack::documents::{compare, read};

#[test]
fn the_documents_are_read_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("documents");
    let documents = read(&folder).unwrap();
    assert!(!documents.is_empty());
    for document in documents {
        if let Err(differences) =
            compare(&document, &mut Parser::new("liar-jobs", liar_jobs::parse))
        {
            panic!("{differences}");
        }
    }
}
