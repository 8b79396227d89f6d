use super::{Bench, each};
use crate::number::{F16, Rounding};

/// What each lane of a warp gets, of its own number.
fn lanes(piece: &str, inputs: impl Fn(u64) -> [u64; 3]) -> Vec<u64> {
    each(piece, &(0..32).map(inputs).collect::<Vec<_>>())
}

#[test]
fn shuffles() {
    for (name, clamp, expected) in [
        ("up", 0, (|lane, by| lane.checked_sub(by)) as fn(u64, u64) -> Option<u64>),
        ("down", 31, |lane, by| (lane + by < 32).then_some(lane + by)),
        ("bfly", 31, |lane, by| Some(lane ^ by)),
        ("idx", 31, |_, by| Some(by)),
        // in segments of eight
        ("bfly", 24 << 8 | 31, |lane, by| ((lane ^ by) <= (lane | 7)).then_some(lane ^ by)),
        ("down", 24 << 8 | 31, |lane, by| (lane + by <= (lane | 7)).then_some(lane + by)),
    ] {
        for by in [0, 1, 3, 16, 31] {
            let piece = format!(
                "shfl.sync.{name}.b32 %r1|%p1, %a, %b, {clamp}, -1;\n selp.b32 %r2, 1, 0, %p1;\n\
                 mov.b64 %d, {{%r1, %r2}};"
            );
            let outputs = lanes(&piece, |lane| [lane * lane, by, 0]);
            for (lane, output) in outputs.into_iter().enumerate() {
                let source = expected(lane as u64, by);
                let value =
                    source.unwrap_or(lane as u64).pow(2) | u64::from(source.is_some()) << 32;
                assert_eq!(output, value, "{name} {clamp} {lane} {by}");
            }
        }
    }
}

#[test]
fn votes() {
    let vote = |vote: &str, of: &str, operand: &str| {
        let kept = if of == "b32" { "cvt.u64.u32 %d, %r1;" } else { "selp.b64 %d, 1, 0, %p2;" };
        let to = if of == "b32" { "%r1" } else { "%p2" };
        let piece = format!(
            "setp.gt.u64 %p1, %a, 20;\n vote.sync.{vote}.{of} {to}, {operand}%p1, -1;\n {kept}"
        );
        lanes(&piece, |lane| [lane, 0, 0])
    };
    assert_eq!(vote("ballot", "b32", ""), [0xffe0_0000; 32]);
    assert_eq!(vote("ballot", "b32", "!"), [0x001f_ffff; 32]);
    assert_eq!(vote("any", "pred", ""), [1; 32]);
    assert_eq!(vote("all", "pred", ""), [0; 32]);
    assert_eq!(vote("uni", "pred", ""), [0; 32]);
    let none =
        "setp.gt.u64 %p1, %a, 40;\n vote.sync.uni.pred %p2, %p1, -1;\n selp.b64 %d, 1, 0, %p2;";
    assert_eq!(lanes(none, |lane| [lane, 0, 0]), [1; 32]);
    let some = "mov.b64 %d, 0;\n setp.lt.u64 %p1, %a, 3;\n @!%p1 bra $E;\n activemask.b32 %d;\n$E:";
    let expected = |lane: u64| if lane < 3 { 7 } else { 0 };
    assert_eq!(lanes(some, |lane| [lane, 0, 0]), (0..32).map(expected).collect::<Vec<_>>());
}

#[test]
fn lanes_that_part_meet_again() {
    let piece =
        "setp.lt.u64 %p1, %a, 3;\n @!%p1 bra $E;\n activemask.b32 %r1;\n$E:\n activemask.b32 %d;";
    assert_eq!(lanes(piece, |lane| [lane, 0, 0]), [0xffff_ffff; 32]);
}

#[test]
fn warps_meet_without_their_block() {
    // the other warps never come to a meeting
    let piece = ".shared .align 4 .b8 room[128];\n mov.b64 %d, 0;\n setp.gt.u64 %p1, %a, 31;\n @%p1 bra $E;\n\
                 mov.b64 %rd1, room;\n shl.b64 %rd2, %a, 2;\n add.s64 %rd3, %rd1, %rd2;\n xor.b64 %rd2, %rd2, 124;\n\
                 add.s64 %rd4, %rd1, %rd2;\n cvt.u32.u64 %r1, %a;\n st.shared.b32 [%rd3], %r1;\n\
                 bar.warp.sync -1;\n ld.shared.b32 %d, [%rd4];\n$E:";
    let inputs: Vec<[u64; 3]> = (0..64).map(|a| [a, 0, 0]).collect();
    let expected = |a: u64| if a < 32 { 31 - a } else { 0 };
    assert_eq!(each(piece, &inputs), (0..64).map(expected).collect::<Vec<_>>());
}

#[test]
fn a_sum_over_a_warp_and_a_block() {
    let steps: String = [16, 8, 4, 2, 1]
        .map(|by| format!("shfl.sync.bfly.b32 %r2, %r1, {by}, 31, -1;\n add.s32 %r1, %r1, %r2;\n"))
        .concat();
    let piece = format!(
        ".shared .align 4 .b8 sums[32];\n cvt.u32.u64 %r1, %a;\n {steps}\
         mov.u32 %r3, %laneid;\n mov.u32 %r4, %warpid;\n mul.wide.u32 %rd1, %r4, 4;\n mov.b64 %rd2, sums;\n\
         add.s64 %rd2, %rd2, %rd1;\n setp.eq.u32 %p1, %r3, 0;\n @%p1 st.shared.b32 [%rd2], %r1;\n\
         bar.sync 0;\n ld.shared.v4.b32 {{%r5, %r6, %r7, %r8}}, [sums];\n\
         ld.shared.v4.b32 {{%r9, %r10, %r11, %r12}}, [sums+16];\n\
         add.s32 %r5, %r5, %r6;\n add.s32 %r5, %r5, %r7;\n add.s32 %r5, %r5, %r8;\n add.s32 %r5, %r5, %r9;\n\
         add.s32 %r5, %r5, %r10;\n add.s32 %r5, %r5, %r11;\n add.s32 %r5, %r5, %r12;\n barrier.sync 0;\n\
         cvt.u64.u32 %d, %r5;"
    );
    let inputs: Vec<[u64; 3]> = (0..512).map(|a| [a, 0, 0]).collect();
    let outputs = each(&piece, &inputs);
    assert!(outputs[..256].iter().all(|sum| *sum == 255 * 256 / 2));
    assert!(outputs[256..].iter().all(|sum| *sum == 255 * 256 / 2 + 256 * 256));
}

#[test]
fn products_of_matrices() {
    let list = |name: &str, count: u32| {
        let names: Vec<String> = (0..count).map(|at| format!("%{name}{at}")).collect();
        names.join(", ")
    };
    let (a, b, c, d) = (list("a", 8), list("b", 8), list("c", 8), list("d", 8));
    let kernel = format!(
        ".entry product(.param .u64 pa, .param .u64 pb, .param .u64 pc)\n{{\n\
         .reg .b64 %p<4>;\n.reg .b32 %a<8>, %b<8>, %c<8>, %d<8>;\n\
         ld.param.u64 %p1, [pa];\nld.param.u64 %p2, [pb];\nld.param.u64 %p3, [pc];\n\
         wmma.load.a.sync.aligned.row.m16n16k16.global.f16 {{{a}}}, [%p1], 16;\n\
         wmma.load.b.sync.aligned.col.m16n16k16.global.f16 {{{b}}}, [%p2], 16;\n\
         wmma.load.c.sync.aligned.row.m16n16k16.global.f32 {{{c}}}, [%p3], 16;\n\
         wmma.mma.sync.aligned.row.col.m16n16k16.f32.f32 {{{d}}}, {{{a}}}, {{{b}}}, {{{c}}};\n\
         wmma.store.d.sync.aligned.row.m16n16k16.global.f32 [%p3], {{{d}}}, 16;\n}}"
    );
    let number = |at: usize, seed: usize| ((at * 7 + seed) % 11) as f64 - 5.0;
    let halves = |seed: usize| -> Vec<u64> {
        let half = |at| F16.narrow(number(at, seed), Rounding::Nearest);
        (0..64).map(|at| (0..4).map(|part| half(4 * at + part) << (16 * part)).sum()).collect()
    };
    let singles: Vec<u64> = (0..128)
        .map(|at| {
            (0..2)
                .map(|part| u64::from((number(2 * at + part, 3) as f32).to_bits()) << (32 * part))
                .sum()
        })
        .collect();
    let mut bench = Bench::new();
    let (a, b, c) = (bench.memory(&halves(1)), bench.memory(&halves(2)), bench.memory(&singles));
    assert_eq!(bench.launch(&kernel, 1, 32, &[a, b, c]), Ok(()));
    let results = bench.numbers(c, 128);
    for row in 0..16 {
        for column in 0..16 {
            let at = 16 * row + column;
            let sum: f64 =
                (0..16).map(|k| number(16 * row + k, 1) * number(16 * column + k, 2)).sum();
            let result = f32::from_bits((results[at / 2] >> (32 * (at % 2))) as u32);
            assert_eq!(f64::from(result), number(at, 3) + sum, "{row} {column}");
        }
    }
    assert_eq!(bench.launch(&kernel, 1, 16, &[a, b, c]), Err(crate::Status::LAUNCH_FAILED));
}
