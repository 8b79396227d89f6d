//! Every row of the registry: its options through files and at random, its numbers, and long walks.

mod at_random;
mod long;
mod texts;

use burn_descent::AdamW;
use burn_descent::registry::{ROWS, Selection};
use burn_descent::rules::chain::Noisy;
use burn_descent_conformance::{Candidate, variants};

/// Every optimizer with each of its options changed is the same after JSON and TOML.
#[test]
fn every_optimizer_goes_through_json_and_toml() {
    for row in ROWS {
        for (variant, optimizer) in variants(&Candidate::of_row(row).optimizer) {
            let selection = Selection::of(&optimizer);
            assert_eq!(selection.options.len(), optimizer.options().len(), "{}", row.name);
            let json = serde_json::to_string(&selection).expect("it can be written");
            let toml = toml::to_string(&selection).expect("it can be written");
            let read: [Selection; 2] = [
                serde_json::from_str(&json).expect("it can be read"),
                toml::from_str(&toml).expect("it can be read"),
            ];
            for read in read {
                let again = read.build().unwrap_or_else(|error| panic!("{variant}: {error}"));
                assert_eq!(again.options(), optimizer.options(), "{} {variant}", row.name);
            }
        }
    }
}

#[test]
fn structs_of_options_are_serdes() {
    let adamw: AdamW = toml::from_str("beta2 = 0.95\namsgrad = true").expect("some options");
    assert_eq!(adamw, AdamW::new().beta2(0.95).amsgrad(true));
    assert_eq!(toml::from_str::<AdamW>(&toml::to_string(&adamw).unwrap()), Ok(adamw.clone()));
    let error = toml::from_str::<AdamW>("beta = 0.95").unwrap_err().to_string();
    assert!(error.contains("there is no option `beta` (did you mean `beta1`?)"), "{error}");
    let noisy = Noisy::new(adamw).eta(0.5).seed(1 << 60);
    let text = toml::to_string(&noisy).expect("it can be written");
    assert_eq!(toml::from_str::<Noisy<AdamW>>(&text), Ok(noisy), "{text}");
}

#[test]
fn what_is_wrong_in_a_file_is_said() {
    let error = |text: &str| {
        let selection: Selection = toml::from_str(text).expect("it can be read");
        selection.build().unwrap_err().to_string()
    };
    assert!(error(r#"name = "adamv""#).contains("did you mean `adam`?"));
    assert!(error("name = \"adamw\"\nbeta = 0.9").contains("did you mean `beta1`?"));
    let expected = "adamw: beta1 = 1 is not allowed, it must be in [0, 1)";
    assert_eq!(error("name = \"adamw\"\nbeta1 = 1.0"), expected);
    assert_eq!(error("name = \"adamw\"\nbeta1 = true"), "adamw: beta1 = true is not a number");
    assert_eq!(error("name = \"adamw\"\namsgrad = 1"), "adamw: amsgrad = 1 is not true or false");
}
