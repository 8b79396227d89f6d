use super::{Bench, each, one, try_each};
use crate::memory::TOTAL;
use crate::status::Status;

#[test]
fn vectors() {
    let piece = "add.s64 %rd9, %rd9, 0;\n ld.global.nc.L1::no_allocate.v4.b32 {%r1, %r2, %r3, %r4}, [%rd9];\n\
                 mov.b64 %d, {%r4, %r1};";
    assert_eq!(one(piece, 7, 9 << 32, 0), 9 | 7 << 32);
    let piece = "st.global.v2.b16 [%rd9+8], {%a, %b};\n ld.global.s16 %d, [%rd9+10];";
    assert_eq!(one(piece, 1, 0xfffe, 0), -2i64 as u64);
    let before = "add.s64 %rd9, %rd9, 8;\n ld.global.b64 %d, [%rd9+-8];";
    assert_eq!(one(before, 5, 0, 0), 5);
    assert_eq!(one("ld.global.s8 %d, [%rd9];", 0x80, 0, 0), -128i64 as u64);
    assert_eq!(one("ld.global.u8 %d, [%rd9+1];", 0x8000, 0, 0), 0x80);
}

#[test]
fn outside_of_an_allocation() {
    // the results are 8 bytes, and the numbers 32
    let read = |offset: &str| try_each(&format!("ld.global.b32 %d, [%rd9{offset}];"), &[[0; 3]]);
    assert!(read("+28").is_ok());
    assert_eq!(read("+32"), Err(Status::ILLEGAL_ADDRESS));
    assert_eq!(read("+-4"), Err(Status::ILLEGAL_ADDRESS));
    let vector = "ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [%rd9+";
    assert!(try_each(&format!("{vector}16];"), &[[0; 3]]).is_ok());
    assert_eq!(try_each(&format!("{vector}32];"), &[[0; 3]]), Err(Status::ILLEGAL_ADDRESS));
    assert_eq!(try_each(&format!("{vector}8];"), &[[0; 3]]), Err(Status::MISALIGNED_ADDRESS));
    for piece in [
        "st.global.b64 [%rd9+32], %a;",
        "atom.global.add.u32 %d, [%rd9+32], 1;",
        "ld.b32 %d, [%a];",
        "ld.shared.b32 %d, [%a];",
        "ld.local.b32 %d, [%a];",
    ] {
        assert_eq!(try_each(piece, &[[4096, 0, 0]]), Err(Status::ILLEGAL_ADDRESS), "{piece}");
    }
}

#[test]
fn over_the_end_of_an_allocation() {
    let mut bench = Bench::new();
    let kernel = ".entry read(.param .u64 at)\n{\n.reg .b64 %a<3>;\nld.param.u64 %a1, [at];\n\
                  ld.global.b32 %a2, [%a1];\nld.global.b64 %a2, [%a1];\n}";
    let (whole, part) = (bench.device.allocate(8).unwrap(), bench.device.allocate(7).unwrap());
    assert_eq!(bench.launch(kernel, 1, 1, &[whole]), Ok(()));
    assert_eq!(bench.launch(kernel, 1, 1, &[part]), Err(Status::ILLEGAL_ADDRESS));
}

#[test]
fn after_a_fault_nothing_works() {
    let mut bench = Bench::new();
    let kernel = ".entry wrong(.param .u64 at)\n{\n.reg .b64 %a;\nld.param.u64 %a, [at];\nst.global.b64 [%a], %a;\n}";
    let memory = bench.memory(&[1]);
    assert_eq!(bench.launch(kernel, 1, 1, &[memory]), Ok(()));
    assert_eq!(bench.numbers(memory, 1), [memory]);
    assert_eq!(bench.device.memory.free(memory), Ok(()));
    assert_eq!(bench.launch(kernel, 1, 1, &[memory]), Err(Status::ILLEGAL_ADDRESS));
    assert_eq!(bench.launch(kernel, 1, 1, &[memory]), Err(Status::ILLEGAL_ADDRESS));
    assert_eq!(bench.device.allocate(8), Err(Status::ILLEGAL_ADDRESS));
    assert_eq!(bench.device.counters.faults, 1);
}

#[test]
fn fresh_memory_is_nan_and_costs_nothing() {
    let mut bench = Bench::new();
    let address = bench.device.allocate(TOTAL - 4096).unwrap();
    assert_eq!(bench.device.allocate(8192), Err(Status::OUT_OF_MEMORY));
    assert_eq!(bench.numbers(address + (8 << 30), 1), [u64::MAX]);
    // over the end of a page
    let edge = address + 65_536 - 4;
    let mut written = Vec::new();
    let all = bench.device.memory.write_all(edge, 8, |piece| {
        written.push(piece.len());
        piece.fill(1);
    });
    assert_eq!((all, written), (Ok(()), vec![4, 4]));
    assert_eq!(bench.numbers(edge - 4, 1), [0x0101_0101_ffff_ffff]);
    assert_eq!(bench.numbers(edge + 4, 1), [0xffff_ffff_0101_0101]);
}

#[test]
fn spaces() {
    let piece = ".shared .align 16 .b8 room[64];\n .local .align 8 .b8 depot[16];\n\
                 mov.b64 %rd1, room;\n cvta.shared.u64 %rd2, %rd1;\n\
                 st.shared.b64 [%rd1+8], %a;\n ld.b64 %rd3, [%rd2+8];\n\
                 mov.b64 %rd4, depot;\n cvta.local.u64 %rd5, %rd4;\n\
                 st.b64 [%rd5], %b;\n ld.local.b64 %rd6, [depot];\n\
                 cvta.to.shared.u64 %rd7, %rd2;\n ld.shared.b64 %rd7, [room+8];\n\
                 add.s64 %d, %rd3, %rd6;\n add.s64 %d, %d, %rd7;";
    assert_eq!(one(piece, 5, 7, 0), 17);
    let beyond = ".shared .align 16 .b8 room[64];\n ld.shared.b64 %d, [room+64];";
    assert_eq!(try_each(beyond, &[[0; 3]]), Err(Status::ILLEGAL_ADDRESS));
    let fresh =
        ".shared .align 16 .b8 room[64];\n ld.shared.b64 %d, [room];\n st.shared.b64 [room], 0;";
    assert_eq!(each(fresh, &[[0; 3]; 512])[256], u64::MAX);
}

#[test]
fn shared_memory_of_the_launch() {
    let mut bench = Bench::new();
    let kernel = ".extern .shared .align 16 .b8 more[];\n.entry both(.param .u64 to)\n{\n.reg .b64 %a<4>;\n\
                  .shared .align 4 .b8 own[20];\nld.param.u64 %a1, [to];\nmov.b64 %a2, more;\n\
                  st.shared.b64 [more+8], 5;\nld.shared.b64 %a3, [%a2+8];\nadd.s64 %a3, %a3, %a2;\n\
                  st.global.b64 [%a1], %a3;\n}";
    let to = bench.memory(&[0]);
    let module = bench.device.load(kernel).unwrap();
    let function = bench.device.function(module, "both").unwrap();
    let launched = bench.device.launch(function, [1; 3], [1; 3], 16, &to.to_le_bytes());
    assert_eq!((launched, bench.numbers(to, 1)), (Ok(()), vec![32 + 5]));
    let launched = bench.device.launch(function, [1; 3], [1; 3], 8, &to.to_le_bytes());
    assert_eq!(launched, Err(Status::ILLEGAL_ADDRESS));
}

#[test]
fn variables_of_a_module() {
    let mut bench = Bench::new();
    let kernel = ".global .align 4 .f32 numbers[3] = {0f3F800000, 2.5, 0f00000000};\n.const .align 8 .u64 one = 0x11;\n\
                  .visible .entry read(.param .u64 to)\n{\n.reg .b64 %a<4>;\n.reg .b32 %r<3>;\nld.param.u64 %a1, [to];\n\
                  mov.b64 %a2, numbers;\nld.global.b32 %r1, [%a2+4];\nld.const.u64 %a3, [one];\n\
                  ld.global.b32 %r2, [numbers+8];\nst.global.v2.b32 [%a1], {%r1, %r2};\nst.global.b64 [%a1+8], %a3;\n}";
    let to = bench.memory(&[1, 1]);
    assert_eq!(bench.launch(kernel, 1, 1, &[to]), Ok(()));
    assert_eq!(bench.numbers(to, 2), [2.5f32.to_bits().into(), 0x11]);
}

#[test]
fn atomic() {
    let mut bench = Bench::new();
    let kernel = |action: &str| {
        format!(
            ".entry change(.param .u64 at)\n{{\n.reg .b64 %a<2>;\n.reg .b32 %r<9>;\n.reg .b64 %f;\n\
             ld.param.u64 %a1, [at];\nmov.u32 %r1, %tid.x;\ncvt.rn.f32.u32 %f, %r1;\n{action}\n}}"
        )
    };
    for (action, before, after) in [
        ("atom.global.add.u32 %r2, [%a1], %r1;", 1, 497),
        (
            "atom.add.relaxed.gpu.global.f32 %r2, [%a1], %f;",
            1f32.to_bits().into(),
            497f32.to_bits().into(),
        ),
        ("red.global.max.s32 [%a1], %r1;", 5, 31),
        ("atom.global.min.u32 %r2, [%a1], %r1;", 5, 0),
        ("atom.global.exch.b32 %r2, [%a1], %r1;", 5, 31),
        ("atom.global.cas.b32 %r2, [%a1], %r1, 40;", 7, 40),
        ("atom.global.inc.u32 %r2, [%a1], 4;", 0, 32 % 5),
        ("atom.global.dec.u32 %r2, [%a1], 4;", 9, 4 - 31 % 5),
        ("red.global.xor.b32 [%a1], %r1;", 1, 1),
        ("red.global.or.b32 [%a1], %r1;", 32, 63),
    ] {
        let at = bench.memory(&[before]);
        assert_eq!(bench.launch(&kernel(action), 1, 32, &[at]), Ok(()), "{action}");
        assert_eq!(bench.numbers(at, 1), [after], "{action}");
    }
}
