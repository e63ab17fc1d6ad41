//! The failures a plugin can name are the core's, with the core's numbers.

use coreota_plugin::{Failure, native::failure};

#[test]
fn failures_have_the_numbers_and_words_of_the_core() {
    for (_, why, words) in Failure::ALL {
        let core = failure(*why);
        assert_eq!(core.code(), why.number());
        assert_eq!(format!("{core:?}"), format!("{why:?}"));
        assert_eq!(core.text(), words.trim());
    }
}
