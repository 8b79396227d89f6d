//! Texts that are no options, or nearly some: nothing panics.

use burn_descent::AdamW;
use burn_descent::registry::{ROWS, Selection};
use proptest::prelude::*;

/// What words of options are made of, and some that are not.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        prop::sample::select(ROWS).prop_map(|row| row.name.to_owned()),
        prop::sample::select(
            &["beta1", "lr", "weight_decay", "momentum", "true", "NaN", "1e999", "-0", "é", ""][..]
        )
        .prop_map(str::to_owned),
        any::<f64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        ".{0,6}",
    ];
    let between = prop::sample::select(&[":", "=", "::", " ", "\n", "\"", "{", "}", ",", "["][..]);
    prop::collection::vec((word, between), 0..8)
        .prop_map(|words| words.into_iter().map(|(word, between)| word + between).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A text is a selection or it is not; one that is says itself again.
    #[test]
    fn no_selection_panics(text in text()) {
        if let Ok(selection) = text.parse::<Selection>() {
            let again = selection.to_string().parse::<Selection>();
            prop_assert_eq!(again.map(|again| again.to_string()), Ok(selection.to_string()));
            let _ = selection.build().map(|optimizer| optimizer.options().len());
            let _ = selection.explain();
        }
        let _ = serde_json::from_str::<Selection>(&text).map(|selection| selection.build().is_ok());
        let _ = toml::from_str::<Selection>(&text).map(|selection| selection.build().is_ok());
        let _ = serde_json::from_str::<AdamW>(&text);
        let _ = toml::from_str::<AdamW>(&text);
    }

    /// A file of options, with some of its bytes changed.
    #[test]
    fn no_file_of_options_panics(
        row in prop::sample::select(ROWS),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let selection = Selection::of(&row.build(&[]).expect("defaults are allowed"));
        let mut json = serde_json::to_vec(&selection).expect("it can be written");
        for (at, byte) in changes {
            let at = at.index(json.len());
            json[at] = byte;
        }
        if let Ok(read) = serde_json::from_slice::<Selection>(&json) {
            let _ = read.build();
        }
    }
}
