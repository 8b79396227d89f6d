use super::{Random, each, one, try_each};
use crate::status::Status;

#[test]
fn integers() {
    let inputs = Random(6).inputs(1000);
    for (piece, mask, expected) in [
        ("cvt.s64.s32 %d, %a;", u64::MAX, (|a| a as i32 as u64) as fn(u64) -> u64),
        ("cvt.u64.u32 %d, %a;", u64::MAX, |a| a & 0xffff_ffff),
        ("cvt.u32.u64 %d, %a;", 0xffff_ffff, |a| a),
        ("cvt.s32.s8 %d, %a;", 0xffff_ffff, |a| a as i8 as u64),
        ("cvt.u32.u16 %d, %a;", 0xffff_ffff, |a| a & 0xffff),
        ("cvt.u16.u8 %d, %a;", 0xffff, |a| a & 0xff),
        ("cvt.sat.u8.s32 %d, %a;", 0xff, |a| (a as i32).clamp(0, 255) as u64),
        ("cvt.sat.s32.s64 %d, %a;", 0xffff_ffff, |a| {
            (a as i64).clamp(i32::MIN.into(), i32::MAX.into()) as u64
        }),
    ] {
        for (input, output) in inputs.iter().zip(each(piece, &inputs)) {
            assert_eq!(output & mask, expected(input[0]) & mask, "{piece} {:#x}", input[0]);
        }
    }
}

#[test]
fn integers_to_numbers() {
    let inputs = Random(7).inputs(2000);
    for (piece, expected) in [
        ("cvt.rn.f32.s64 %d, %a;", (|a| (a as i64 as f32).to_bits().into()) as fn(u64) -> u64),
        ("cvt.rn.f32.u64 %d, %a;", |a| (a as f32).to_bits().into()),
        ("cvt.rn.f32.s32 %d, %a;", |a| (a as i32 as f32).to_bits().into()),
        ("cvt.rn.f32.u32 %d, %a;", |a| (a as u32 as f32).to_bits().into()),
        ("cvt.rn.f64.s64 %d, %a;", |a| (a as i64 as f64).to_bits()),
        ("cvt.rn.f64.u64 %d, %a;", |a| (a as f64).to_bits()),
        ("cvt.rn.f32.s16 %d, %a;", |a| f32::from(a as i16).to_bits().into()),
    ] {
        for (input, output) in inputs.iter().zip(each(piece, &inputs)) {
            assert_eq!(output, expected(input[0]), "{piece} {:#x}", input[0]);
        }
    }
    let (down, up) = ("cvt.rm.f32.u32 %d, %a;", "cvt.rp.f32.u32 %d, %a;");
    assert_eq!(one(down, 0x0100_0001, 0, 0), 16_777_216f32.to_bits().into());
    assert_eq!(one(up, 0x0100_0001, 0, 0), 16_777_218f32.to_bits().into());
    assert_eq!(one("cvt.rn.f16.s32 %d, %a;", 65_520, 0, 0), 0x7c00);
    assert_eq!(one("cvt.rn.bf16.u64 %d, %a;", (1 << 62) + (1 << 54) + 1, 0, 0), 0x5e81);
}

#[test]
fn numbers_to_integers() {
    let of = |number: f32| u64::from(number.to_bits());
    for (mode, results) in [
        ("rni", [2, 2, -2, -3]),
        ("rzi", [1, 2, -1, -2]),
        ("rmi", [1, 2, -2, -3]),
        ("rpi", [2, 3, -1, -2]),
    ] {
        for (number, result) in [1.5f32, 2.5, -1.5, -2.6].into_iter().zip(results) {
            let piece = format!("cvt.{mode}.s32.f32 %d, %a;");
            assert_eq!(one(&piece, of(number), 0, 0) as i32, result, "{mode} {number}");
            let piece = format!("cvt.{mode}.f32.f32 %d, %a;");
            let output = f32::from_bits(one(&piece, of(number), 0, 0) as u32);
            assert_eq!(output, result as f32, "{mode} {number}");
        }
    }
    for (piece, number, result) in [
        ("cvt.rzi.s32.f32 %d, %a;", 3e9f32, 0x7fff_ffff),
        ("cvt.rzi.s32.f32 %d, %a;", -3e9, 0x8000_0000),
        ("cvt.rzi.u32.f32 %d, %a;", -1.0, 0),
        ("cvt.rzi.u32.f32 %d, %a;", 5e9, 0xffff_ffff),
        ("cvt.rzi.s32.f32 %d, %a;", f32::NAN, 0),
    ] {
        assert_eq!(one(piece, of(number), 0, 0) & 0xffff_ffff, result, "{piece} {number}");
    }
    assert_eq!(one("cvt.rzi.s64.f32 %d, %a;", of(f32::NAN), 0, 0), 1 << 63);
    assert_eq!(
        one("cvt.rzi.u64.f64 %d, %a;", 1.8e19f64.to_bits(), 0, 0),
        18_000_000_000_000_000_000
    );
}

#[test]
fn numbers_to_numbers() {
    let numbers: Vec<[u64; 3]> = Random(8).inputs(2000);
    for (input, output) in numbers.iter().zip(each("cvt.rn.f32.f64 %d, %a;", &numbers)) {
        let expected = f64::from_bits(input[0]) as f32;
        let expected = if expected.is_nan() { f32::from_bits(0x7fff_ffff) } else { expected };
        assert_eq!(output, u64::from(expected.to_bits()));
    }
    let third = (1.0f64 / 3.0).to_bits();
    for (mode, bits) in
        [("rn", 0x3eaa_aaab), ("rz", 0x3eaa_aaaa), ("rm", 0x3eaa_aaaa), ("rp", 0x3eaa_aaab)]
    {
        assert_eq!(one(&format!("cvt.{mode}.f32.f64 %d, %a;"), third, 0, 0), bits, "{mode}");
    }
    let third = u64::from((1.0f32 / 3.0).to_bits());
    for (mode, f16, bf16) in [
        ("rn", 0x3555, 0x3eab),
        ("rz", 0x3555, 0x3eaa),
        ("rm", 0x3555, 0x3eaa),
        ("rp", 0x3556, 0x3eab),
    ] {
        assert_eq!(one(&format!("cvt.{mode}.f16.f32 %d, %a;"), third, 0, 0), f16, "{mode}");
        assert_eq!(one(&format!("cvt.{mode}.bf16.f32 %d, %a;"), third, 0, 0), bf16, "{mode}");
    }
    let (two, three) = (2f32.to_bits().into(), 3f32.to_bits().into());
    assert_eq!(one("cvt.rn.bf16x2.f32 %d, %a, %b;", two, three, 0), 0x4000_4040);
    assert_eq!(one("cvt.rn.f16x2.f32 %d, %a, %b;", two, three, 0), 0x4000_4200);
    assert_eq!(one("cvt.rna.tf32.f32 %d, %a;", 0x3f80_1000, 0, 0), 0x3f80_2000);
    assert_eq!(one("cvt.sat.f32.f32 %d, %a;", three, 0, 0), 1f32.to_bits().into());
    assert_eq!(one("cvt.ftz.f32.f32 %d, %a;", 1, 0, 0), 0);
    assert_eq!(one("cvt.rn.ftz.f32.f64 %d, %a;", 1e-40f64.to_bits(), 0, 0), 0);
    assert_eq!(one("cvt.f64.f32 %d, %a;", three, 0, 0), 3f64.to_bits());
}

#[test]
fn unknown_conversions() {
    for piece in ["cvt.rn.satfinite.e4m3x2.f32 %d, %a, %b;", "cvt.rn.relu.f16.f32 %d, %a;"] {
        assert_eq!(try_each(piece, &[[0; 3]]), Err(Status::INVALID_PTX), "{piece}");
    }
}
