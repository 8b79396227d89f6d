//! What CubeCL has made of the kernels of steps: facts of the PTX that a run has left in the folder
//! `BURN_DESCENT_PTX` (`tests/gpu/check.sh` does so). Without it there is nothing to look at.
//!
//! A kernel's name has its types and its width: `update_p_f32_c_f32_n_4` steps a parameter in f32, computed
//! in f32, four elements at a time.

use std::path::{Path, PathBuf};
use std::process::Command;

struct Kernel {
    path: PathBuf,
    text: String,
}

impl Kernel {
    /// The kernels of steps.
    fn of_steps() -> Vec<Self> {
        let Some(folder) = std::env::var_os("BURN_DESCENT_PTX") else { return Vec::new() };
        let files = std::fs::read_dir(&folder).expect("BURN_DESCENT_PTX is a folder");
        let paths = files.map(|file| file.expect("it can be read").path());
        let kernel = |path: PathBuf| Self {
            text: std::fs::read_to_string(&path).expect("it is text"),
            path,
        };
        let is_step = |path: &PathBuf| name(path).starts_with("update_p_");
        let kernels: Vec<_> = paths.filter(is_step).map(kernel).collect();
        assert!(!kernels.is_empty(), "no step has left a kernel in {}", folder.display());
        kernels
    }

    fn name(&self) -> &str {
        name(&self.path)
    }

    /// Elements at a time.
    fn width(&self) -> usize {
        let width = self.name().split("_n_").nth(1).and_then(|rest| rest.split('_').next());
        width.and_then(|width| width.parse().ok()).expect("a width")
    }

    /// How many instructions begin like this.
    fn count(&self, instruction: &str) -> usize {
        let begins = |line: &&str| {
            let line = line.trim_start();
            // behind its guard
            let line =
                if line.starts_with('@') { line.split_once(' ').map_or("", |l| l.1) } else { line };
            line.starts_with(instruction)
        };
        self.text.lines().filter(begins).count()
    }

    /// Do all branches go forward? A kernel of many tensors looks for the one that a block is for.
    fn has_no_loop(&self) -> bool {
        let lines = || self.text.lines().map(str::trim).enumerate();
        let place = |label: &str| lines().find(|(_, line)| line.strip_suffix(':') == Some(label));
        let mut branches = lines().filter(|(_, line)| line.contains("bra"));
        branches.all(|(at, line)| {
            let label = line.trim_end_matches(';').rsplit([' ', '\t']).next();
            label.and_then(place).is_some_and(|(to, _)| to > at)
        })
    }
}

fn name(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).expect("a name")
}

#[test]
fn tensors_are_read_and_written_once_as_wide_as_can_be() {
    for kernel in
        Kernel::of_steps().iter().filter(|kernel| kernel.name().contains("p_f32_c_f32_n_4"))
    {
        let stores = kernel.count("st.global.v4.b32");
        let loads = kernel.count("ld.global.v4.b32") + kernel.count("ld.global.nc.v4.b32");
        assert_eq!(
            kernel.count("st.global"),
            stores,
            "{}: all stores are of 16 bytes",
            kernel.name()
        );
        assert_eq!(
            loads,
            stores + 1,
            "{}: all is read that is written, and the gradient",
            kernel.name()
        );
        assert_eq!(kernel.count("ld.global.nc.v4.b32"), 1, "{}: the gradient", kernel.name());
        // What is one number for many elements: the factor of the gradient, where that lies on the device, and what
        // is one for each row or column.
        let single = kernel.count("ld.global") - loads;
        assert_eq!(single, kernel.count("ld.global.b32") + kernel.count("ld.global.nc.b32"));
        assert!(!is_adamw(kernel) || single <= 1, "{}", kernel.name());
    }
}

#[test]
fn nothing_lies_on_a_stack_and_nothing_is_called() {
    for kernel in Kernel::of_steps() {
        assert!(!kernel.text.contains(".local"), "{}: local memory", kernel.name());
        assert_eq!(kernel.count("call"), 0, "{}: a call", kernel.name());
        assert!(kernel.has_no_loop(), "{}: a loop", kernel.name());
    }
}

/// Four elements, each with two moments, of which there is one root.
fn is_adamw(kernel: &Kernel) -> bool {
    kernel.width() == 4 && kernel.count("st.global") == 3 && kernel.count("sqrt.rn.f32") == 4
}

#[test]
fn adamw_is_as_short_as_by_hand() {
    for kernel in Kernel::of_steps().iter().filter(|kernel| is_adamw(kernel)) {
        // One tensor needs no more than to know whether there is something for a thread.
        assert!(kernel.count("bra.uni") > 0 || kernel.count("bra") == 1, "{}", kernel.name());
        assert_eq!(kernel.count("div.rn.f32"), 4, "{}", kernel.name());
        assert_eq!(kernel.count("fma.rn.f32"), 20, "{}", kernel.name());
        let arithmetic =
            ["add.f32", "mul.f32", "neg.f32", "sub.f32"].map(|name| kernel.count(name));
        assert!(arithmetic.iter().sum::<usize>() <= 33, "{}: {arithmetic:?}", kernel.name());
    }
}

#[test]
fn registers_leave_room_for_all_threads() {
    let Some(cuda) = std::env::var_os("CUDA_PATH") else { return };
    let ptxas = Path::new(&cuda).join("bin/ptxas");
    if !ptxas.exists() {
        return eprintln!("skipped: there is no {}", ptxas.display());
    }
    for kernel in Kernel::of_steps() {
        let target =
            kernel.text.split(".target ").nth(1).and_then(|rest| rest.split_whitespace().next());
        let output = Command::new(&ptxas)
            .arg(format!("--gpu-name={}", target.expect("a target")))
            .args(["--verbose", "--output-file", "/dev/null"])
            .arg(&kernel.path)
            .output()
            .expect("ptxas runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {told}", kernel.name());
        let registers = told.split("Used ").nth(1).and_then(|rest| rest.split(' ').next());
        let registers: usize = registers.and_then(|count| count.parse().ok()).expect("registers");
        println!("{}: {registers} registers", kernel.name());
        // 65,536 of a multiprocessor, for four blocks of 256 threads at least; for AdamW's, six.
        let most = if is_adamw(&kernel) { 42 } else { 64 };
        assert!(registers <= most, "{}: {registers} registers", kernel.name());
        assert!(told.contains("0 bytes stack frame, 0 bytes spill stores"), "{told}");
    }
}
