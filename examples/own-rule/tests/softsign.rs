//! What a rule of one's own is tested by.

use burn_descent::rules::slices::Walk;
use burn_descent_own_rule::SoftSign;
use std::process::Command;

/// Every law, on every device.
#[test]
fn softsign_holds_to_every_law() {
    burn_descent_conformance::check(SoftSign::new(), 0.003);
}

/// What no law can know: that the formula is the one that was meant.
#[test]
fn softsign_steps_as_by_hand() {
    let mut x = [1.0_f64, 1.0];
    let rule = SoftSign::new().momentum(0.5).delta(1.0);
    let mut walk = Walk::new(rule, x.len()).unwrap();
    walk.step(0.1, &mut x, &[2.0, -6.0]).unwrap();
    // The momentum is 1 and -3.
    assert!((x[0] - (1.0 - 0.1 / 2.0)).abs() < 1e-12 && (x[1] - (1.0 + 0.1 * 0.75)).abs() < 1e-12);
    walk.step(0.1, &mut x, &[-1.0, 0.0]).unwrap();
    // It is 0 and -1.5.
    assert!((x[0] - 0.95).abs() < 1e-12 && (x[1] - (1.075 + 0.1 * 0.6)).abs() < 1e-12);
}

/// The last line of a run of the program that succeeded, or all it said if it should have failed.
fn run(line: &str) -> Result<String, String> {
    let program = env!("CARGO_BIN_EXE_own-rule");
    let output = Command::new(program).args(line.split(' ')).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    match output.status.success() {
        true => Ok(text(output.stdout)),
        false => Err(text(output.stderr)),
    }
}

#[test]
fn the_program_trains_with_it_saves_plots_and_explains() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (save, plot) = (path("run.bpk"), path("loss.svg"));
    let out = run(&format!("--optimizer softsign --epochs 2 --json --save {save} --plot {plot}"))
        .unwrap();
    let loss = |out: &str| -> f64 {
        let json = out.lines().last().unwrap();
        let (_, rest) = json.split_once("\"train_loss\":").unwrap();
        rest.split([',', '}']).next().unwrap().trim().parse().unwrap()
    };
    let before = loss(&out);
    assert!(std::fs::read_to_string(plot).unwrap().contains("</svg>"));
    // What was saved goes on, by its name.
    let after = loss(&run(&format!("--resume {save} --epochs 6 --json")).unwrap());
    assert!(after < before, "{before}, then {after}");
    let page = run("--explain softsign").unwrap();
    assert!(page.contains("p ← p - lr·(m / (|m| + delta))"), "{page}");
    let error = run("--optimizer softsing").unwrap_err();
    assert!(error.contains("did you mean `softsign`?"), "{error}");
}
