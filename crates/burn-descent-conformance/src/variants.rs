//! An optimizer with other options.

use burn_descent::Fused;

/// The optimizer as it is, with each option changed on its own, and with as many changed
/// together as may go together.
pub fn variants(optimizer: &Fused) -> Vec<(String, Fused)> {
    let flip = |default: &str| {
        match default {
            "true" => "false",
            "false" => "true",
            "0.0" => "0.1",
            kept => return kept.to_owned(),
        }
        .to_owned()
    };
    let mut variants = vec![("as it is".to_owned(), optimizer.clone())];
    let mut together: Vec<(String, String)> = Vec::new();
    let build = |options: &[(String, String)]| {
        let pairs: Vec<_> = options.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        optimizer.with(&pairs)
    };
    let text = |options: &[(String, String)]| {
        options.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" ")
    };
    for (option, default) in optimizer.options() {
        let changed = (option.clone(), flip(default));
        if changed.1 == *default {
            continue;
        }
        let alone = [changed];
        if let Ok(optimizer) = build(&alone) {
            variants.push((text(&alone), optimizer));
        }
        let [changed] = alone;
        together.push(changed);
        match build(&together) {
            Ok(optimizer) => variants.push((text(&together), optimizer)),
            Err(_) => drop(together.pop()),
        }
    }
    variants
}
