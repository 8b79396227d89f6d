use super::{each, one};
use crate::number::{BF16, F16, Format, Rounding};

/// What the bits of a half stand for, by its definition.
fn value(bits: u64, fraction: i32, bias: i32) -> f64 {
    let (exponent, mantissa) = ((bits & 0x7fff) >> fraction, bits & ((1 << fraction) - 1));
    let (mantissa, exponent) = match exponent {
        0 => (mantissa, 1),
        exponent => (mantissa | 1 << fraction, exponent as i32),
    };
    let size = mantissa as f64 * 2f64.powi(exponent - bias - fraction);
    if bits & 0x8000 == 0 { size } else { -size }
}

/// All halves, to f64 and back, and what lies between two of them, in every rounding.
fn check(format: Format, fraction: i32, bias: i32, infinity: u64) {
    for bits in 0..=0xffff_u64 {
        let number = format.widen(bits);
        if bits & 0x7fff > infinity {
            assert!(number.is_nan());
            assert_eq!(format.narrow(number, Rounding::Nearest), 0x7fff);
            continue;
        }
        if bits & 0x7fff == infinity {
            assert!(number.is_infinite());
            assert_eq!(format.narrow(number, Rounding::Zero), bits);
            continue;
        }
        assert_eq!(number.to_bits(), value(bits, fraction, bias).to_bits(), "{bits:#x}");
        let modes =
            [Rounding::Nearest, Rounding::Away, Rounding::Zero, Rounding::Down, Rounding::Up];
        for mode in modes {
            assert_eq!(format.narrow(number, mode), bits, "{bits:#x} {mode:?}");
        }
        // the next one away from zero; behind the last one comes infinity
        let next = bits + 1;
        let middle = (number + value(next, fraction, bias)) / 2.0;
        let finite = next & 0x7fff != infinity;
        let negative = bits & 0x8000 != 0;
        let lower = if negative { next } else { bits };
        let upper = if negative { bits } else { next };
        let even = if bits & 1 == 0 { bits } else { next };
        let outwards = |number: f64| if negative { number.next_down() } else { number.next_up() };
        let inwards = |number: f64| if negative { number.next_up() } else { number.next_down() };
        for (number, nearest, away) in [
            (inwards(middle), bits, bits),
            (middle, even, next),
            (outwards(middle), next, next),
            (outwards(number), bits, bits),
        ] {
            let narrow = |mode| format.narrow(number, mode);
            assert_eq!(narrow(Rounding::Nearest), nearest, "{number:e} {bits:#x} {finite}");
            assert_eq!(narrow(Rounding::Away), away, "{number:e}");
            assert_eq!(narrow(Rounding::Zero), bits, "{number:e}");
            assert_eq!(narrow(Rounding::Down), lower, "{number:e}");
            assert_eq!(narrow(Rounding::Up), upper, "{number:e}");
        }
    }
    let far = format.narrow(f64::MAX, Rounding::Nearest);
    assert_eq!((far, format.narrow(f64::MAX, Rounding::Zero)), (infinity, infinity - 1));
    assert_eq!(format.narrow(f64::from_bits(1), Rounding::Up), 1);
    assert_eq!(format.narrow(-f64::from_bits(1), Rounding::Up), 0x8000);
}

#[test]
fn f16() {
    check(F16, 10, 15, 0x7c00);
}

#[test]
fn bf16() {
    check(BF16, 7, 127, 0x7f80);
}

#[test]
fn halves_by_instructions() {
    let inputs: Vec<[u64; 3]> = (0..=0xffff).map(|bits| [bits, 0, 0]).collect();
    for (name, infinity) in [("f16", 0x7c00), ("bf16", 0x7f80)] {
        let piece = format!("cvt.f32.{name} %r1, %a;\n cvt.rn.{name}.f32 %d, %r1;");
        for (input, output) in inputs.iter().zip(each(&piece, &inputs)) {
            let expected = if input[0] & 0x7fff > infinity { 0x7fff } else { input[0] };
            assert_eq!(output, expected, "{name}");
        }
    }
}

#[test]
fn sums_of_halves_are_rounded_once() {
    // 1 + 2^-8 is the middle between two bf16, and what is added is too small for an f64 to show
    let (tie, tiny) = (0x3f80, 0x0001);
    let piece = "fma.rn.bf16 %d, %a, %b, %c;";
    let (a, b) = (0x3f88, 0x3f71); // 1.0625 * 0.94140625 = 1.000244140625
    assert_eq!(one(piece, a, b, 0), tie);
    let half_up = (0x3f81, 0x3fc0); // (1 + 2^-7) * 1.5 = 1.51171875, a tie: 1.5078125 or 1.515625
    assert_eq!(one(piece, half_up.0, half_up.1, 0), 0x3fc2);
    assert_eq!(one(piece, half_up.0, half_up.1, tiny), 0x3fc2);
    assert_eq!(one(piece, half_up.0, half_up.1, tiny | 0x8000), 0x3fc1);
}
