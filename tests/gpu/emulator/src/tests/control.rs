use super::{Bench, each, one, try_each};
use crate::status::Status;

#[test]
fn predicates() {
    let piece = "setp.lt.s32 %p1|%p2, %a, 5;\n setp.gt.and.s32 %p3, %a, 2, %p1;\n\
                 setp.gt.or.s32 %p4, %a, 2, !%p1;\n and.pred %p5, %p3, %p4;\n not.pred %p6, %p5;\n\
                 mov.b64 %d, 0;\n @%p1 add.s64 %d, %d, 1;\n @!%p1 add.s64 %d, %d, 2;\n\
                 @%p2 add.s64 %d, %d, 4;\n @%p3 add.s64 %d, %d, 8;\n @%p4 add.s64 %d, %d, 16;\n\
                 @%p6 add.s64 %d, %d, 32;";
    let inputs: Vec<[u64; 3]> = (0..8).map(|a| [a, 0, 0]).collect();
    for (input, output) in inputs.iter().zip(each(piece, &inputs)) {
        let a = input[0];
        let (small, middle) = (a < 5, a > 2 && a < 5);
        let either = a > 2 || !small;
        let sum = if small { 1 } else { 6 } + 8 * u64::from(middle) + 16 * u64::from(either);
        assert_eq!(output, sum + 32 * u64::from(!(middle && either)), "{a}");
    }
}

#[test]
fn loops() {
    let piece = "mov.b64 %d, 0;\n mov.b64 %rd1, 0;\n$L__BB0_1:\n add.s64 %d, %d, %rd1;\n\
                 add.s64 %rd1, %rd1, 1;\n setp.lt.s64 %p1, %rd1, %a;\n @%p1 bra $L__BB0_1;";
    let inputs: Vec<[u64; 3]> = (1..50).map(|a| [a, 0, 0]).collect();
    for (input, output) in inputs.iter().zip(each(piece, &inputs)) {
        assert_eq!(output, input[0] * (input[0] - 1) / 2);
    }
}

#[test]
fn tables_of_targets() {
    let piece = "mov.b64 %d, 9;\n$T: .branchtargets $A, $B;\n cvt.u32.u64 %r1, %a;\n\
                 setp.gt.u32 %p1, %r1, 1;\n @%p1 bra.uni $E;\n brx.idx %r1, $T;\n\
                 $A: mov.b64 %d, 5;\n bra $E;\n$B:\n mov.b64 %d, 6;\n$E:";
    assert_eq!([0, 1, 2].map(|a| one(piece, a, 0, 0)), [5, 6, 9]);
}

#[test]
fn names_in_braces() {
    let piece =
        "mov.b64 %d, 3;\n{\n .reg .b64 %d;\n mov.b64 %d, 4; /* another */\n}\nadd.s64 %d, %d, 1;";
    assert_eq!(one(piece, 0, 0, 0), 4);
}

#[test]
fn a_trap_fails() {
    assert_eq!(try_each("trap;", &[[0; 3]]), Err(Status::LAUNCH_FAILED));
}

#[test]
fn what_is_unknown_is_refused() {
    for piece in [
        "addc.s32 %d, %a, %b;",
        "add.cc.s32 %d, %a, %b;",
        "add.s32.wonder %d, %a, %b;",
        "add.s32 %d, %a;",
        "add.s32 %d, %a, %missing;",
        "add.rz.f64 %d, %a, %b;",
        "min.xorsign.abs.f32 %d, %a, %b;",
        "bar.arrive 0, 64;",
        "call.uni somewhere;",
        "bra nowhere;",
        "ld.global.b64 %d, [elsewhere];",
        "cp.async.ca.shared.global [%a], [%b], 4;",
    ] {
        assert_eq!(try_each(piece, &[[0; 3]]), Err(Status::INVALID_PTX), "{piece}");
    }
}

#[test]
fn a_block_that_is_too_large_is_refused() {
    let mut bench = Bench::new();
    let kernel = ".entry nothing()\n.maxntid 64, 1, 1\n{\n\tret;\n}";
    assert_eq!(bench.launch(kernel, 1, 64, &[]), Ok(()));
    assert_eq!(bench.launch(kernel, 1, 65, &[]), Err(Status::INVALID_VALUE));
    assert_eq!(bench.launch(kernel, 0, 1, &[]), Err(Status::INVALID_VALUE));
}
