//! L-BFGS is PyTorch's, evaluation by evaluation.

use super::each_device;
use burn::tensor::DType;
use burn_descent_golden::{OptimizerFile, Precision, setting, traces_dir};
use burn_descent_tests::replayer::{Engine, replay_on};

#[test]
fn lbfgs_is_that_of_pytorch_evaluation_by_evaluation() {
    let files = ["torch_optim__lbfgs.json.gz", "torch_optim__lbfgs_matrix.json.gz"];
    each_device(|device, dtype| {
        if dtype != DType::F64 {
            return;
        }
        let (mut worst, mut agree, mut failures) = (0.0_f64, 0, Vec::new());
        for file in files {
            let file = OptimizerFile::read(&traces_dir().join(file)).expect("a trajectory file");
            for case in &file.cases {
                let setting = setting(&file, case).expect("it is L-BFGS");
                match replay_on(device, Engine::Own, Precision::F64, case, &setting) {
                    Ok(outcome) if outcome.agrees() => {
                        worst = worst.max(outcome.max_error);
                        agree += 1;
                    }
                    Ok(outcome) => failures.push(format!("{}: {outcome}", case.id)),
                    Err(error) => failures.push(format!("{}: {error}", case.id)),
                }
            }
        }
        println!("{agree} trajectories agree, to {worst:.1e}");
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        assert_eq!(agree, 17);
    });
}
