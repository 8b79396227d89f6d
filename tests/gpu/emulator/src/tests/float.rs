use super::{Random, bits, each, one};

fn single(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

/// Holds an instruction in f32 against a function.
fn check(piece: &str, expected: impl Fn(f32, f32, f32) -> f32) {
    let inputs = Random(2).singles(2000);
    for ([a, b, c], output) in inputs.iter().copied().zip(each(piece, &bits(&inputs))) {
        let (output, expected) = (single(output), expected(a, b, c));
        let same = output.to_bits() == expected.to_bits() || output.is_nan() && expected.is_nan();
        assert!(same, "{piece} {a:e} {b:e} {c:e}: {output:e}, not {expected:e}");
    }
}

#[test]
fn nearest() {
    check("add.f32 %d, %a, %b;", |a, b, _| a + b);
    check("sub.rn.f32 %d, %a, %b;", |a, b, _| a - b);
    check("mul.rn.f32 %d, %a, %b;", |a, b, _| a * b);
    check("fma.rn.f32 %d, %a, %b, %c;", |a, b, c| a.mul_add(b, c));
    check("div.rn.f32 %d, %a, %b;", |a, b, _| a / b);
    check("sqrt.rn.f32 %d, %a;", |a, _, _| a.sqrt());
    check("rcp.rn.f32 %d, %a;", |a, _, _| 1.0 / a);
    check("ex2.approx.ftz.f32 %d, %a;", |a, _, _| {
        let result = f64::from(a).exp2() as f32;
        if result.is_subnormal() { 0.0 } else { result }
    });
    check("add.rn.sat.f32 %d, %a, %b;", |a, b, _| (a + b).clamp(0.0, 1.0) + 0.0);
}

/// The integer that a large f32 is.
fn integer(number: f32) -> i128 {
    number as i128
}

#[test]
fn towards_a_side() {
    // integers, so that the truth is known: 2^24 times up to 2^20, times as many, plus as many
    let mut random = Random(3);
    let mut number =
        || ((random.next() % (1 << 25)) as f32 - 16_777_216.0) * (1 << (random.next() % 20)) as f32;
    let inputs: Vec<[f32; 3]> = (0..2000).map(|_| [number(), number(), number()]).collect();
    let truth = |name: &str, [a, b, c]: [f32; 3]| match name {
        "add" => integer(a) + integer(b),
        "sub" => integer(a) - integer(b),
        "mul" => integer(a) * integer(b),
        _ => integer(a) * integer(b) + integer(c),
    };
    for (name, operands) in
        [("add", "%a, %b"), ("sub", "%a, %b"), ("mul", "%a, %b"), ("fma", "%a, %b, %c")]
    {
        let run = |mode: &str| each(&format!("{name}.{mode}.f32 %d, {operands};"), &bits(&inputs));
        let all = [run("rm"), run("rp"), run("rz"), run("rn")];
        for (at, input) in inputs.iter().enumerate() {
            let [down, up, zero, near] = [0, 1, 2, 3].map(|mode: usize| single(all[mode][at]));
            let truth = truth(name, *input);
            assert!(integer(down) <= truth && truth <= integer(up), "{name} {input:?}");
            let exact = integer(down) == truth;
            assert_eq!(if exact { down } else { down.next_up() }, up, "{name} {input:?}");
            assert_eq!(zero, if truth < 0 { up } else { down }, "{name} {input:?}");
            let (below, above) = (truth - integer(down), integer(up) - truth);
            assert!(below == above || near == if below < above { down } else { up });
        }
    }
}

#[test]
fn quotients_and_roots_towards_a_side() {
    let inputs = Random(4).singles(2000);
    for ([a, b, _], (down, up)) in inputs.iter().zip(
        each("div.rm.f32 %d, %a, %b;", &bits(&inputs))
            .into_iter()
            .zip(each("div.rp.f32 %d, %a, %b;", &bits(&inputs))),
    ) {
        let (down, up) = (f64::from(single(down)), f64::from(single(up)));
        let (a, b) = (f64::from(*a), f64::from(*b));
        // multiplied by the divisor all is exact
        let sides = [down * b, up * b];
        assert!(sides[0].min(sides[1]) <= a && a <= sides[0].max(sides[1]));
        let next = if sides.contains(&a) { down as f32 } else { (down as f32).next_up() };
        assert_eq!(next, up as f32, "{a:e} / {b:e}");
    }
    for (number, down, up) in [(3.0f32, 1.732_050_8f32, 1.732_050_9f32), (4.0, 2.0, 2.0)] {
        let bits = u64::from(number.to_bits());
        assert_eq!(single(one("sqrt.rm.f32 %d, %a;", bits, 0, 0)), down);
        assert_eq!(single(one("sqrt.rp.f32 %d, %a;", bits, 0, 0)), up);
    }
}

#[test]
fn edges() {
    let of = |number: f32| u64::from(number.to_bits());
    let subnormal = of(f32::from_bits(1));
    assert_eq!(one("add.ftz.f32 %d, %a, %b;", subnormal, of(0.0), 0), 0);
    assert_eq!(one("add.f32 %d, %a, %b;", subnormal, of(0.0), 0), subnormal);
    assert_eq!(one("mul.ftz.f32 %d, %a, %b;", of(-f32::MIN_POSITIVE), of(0.5), 0), of(-0.0));
    assert_eq!(one("sub.f32 %d, %a, %b;", of(f32::INFINITY), of(f32::INFINITY), 0), 0x7fff_ffff);
    assert_eq!(one("add.rm.f32 %d, %a, %b;", of(1.0), of(-1.0), 0), of(-0.0));
    assert_eq!(one("add.sat.f32 %d, %a, %b;", of(f32::NAN), 0, 0), 0);
    assert_eq!(one("min.f32 %d, %a, %b;", of(f32::NAN), of(3.0), 0), of(3.0));
    assert_eq!(one("min.NaN.f32 %d, %a, %b;", of(f32::NAN), of(3.0), 0), 0x7fff_ffff);
    assert_eq!(one("max.f32 %d, %a, %b;", of(-0.0), of(0.0), 0), of(0.0));
    assert_eq!(one("min.f32 %d, %a, %b;", of(0.0), of(-0.0), 0), of(-0.0));
    assert_eq!(one("abs.f32 %d, %a;", of(-3.0), 0, 0), of(3.0));
    assert_eq!(one("neg.f32 %d, %a;", of(-0.0), 0, 0), of(0.0));
    assert_eq!(one("copysign.f32 %d, %a, %b;", of(-1.0), of(7.0), 0), of(-7.0));
    for (class, number, is) in [
        ("finite", 1.0, true),
        ("infinite", f32::INFINITY, true),
        ("number", f32::NAN, false),
        ("notanumber", f32::NAN, true),
        ("normal", 0.0, false),
        ("subnormal", f32::from_bits(1), true),
    ] {
        let piece = format!("testp.{class}.f32 %p1, %a;\n selp.b64 %d, 1, 0, %p1;");
        assert_eq!(one(&piece, of(number), 0, 0), u64::from(is), "{class}");
    }
}

#[test]
fn relations() {
    let numbers = [f32::NAN, f32::NEG_INFINITY, -1.0, -0.0, 0.0, 1.0];
    for (name, expected) in [
        ("eq", (|a, b| a == b) as fn(f32, f32) -> bool),
        ("ne", |a, b| a != b && !a.is_nan() && !b.is_nan()),
        ("lt", |a, b| a < b),
        ("ge", |a, b| a >= b),
        ("equ", |a, b| a == b || a.is_nan() || b.is_nan()),
        ("neu", |a, b| a != b),
        ("ltu", |a, b| a < b || a.is_nan() || b.is_nan()),
        ("gtu", |a, b| a > b || a.is_nan() || b.is_nan()),
        ("num", |a, b| !a.is_nan() && !b.is_nan()),
        ("nan", |a, b| a.is_nan() || b.is_nan()),
    ] {
        for a in numbers {
            for b in numbers {
                let piece = format!("setp.{name}.f32 %p1, %a, %b;\n selp.b64 %d, 1, 0, %p1;");
                let output = one(&piece, a.to_bits().into(), b.to_bits().into(), 0);
                assert_eq!(output, u64::from(expected(a, b)), "{name} {a} {b}");
            }
        }
    }
}

#[test]
fn doubles() {
    let inputs: Vec<[u64; 3]> =
        Random(5).singles(1000).iter().map(|three| three.map(|n| f64::from(n).to_bits())).collect();
    for (piece, expected) in [
        ("add.rn.f64 %d, %a, %b;", (|a, b, _| a + b) as fn(f64, f64, f64) -> f64),
        ("sub.f64 %d, %a, %b;", |a, b, _| a - b),
        ("mul.f64 %d, %a, %b;", |a, b, _| a * b),
        ("div.rn.f64 %d, %a, %b;", |a, b, _| a / b),
        ("fma.rn.f64 %d, %a, %b, %c;", |a, b, c| a.mul_add(b, c)),
        ("sqrt.rn.f64 %d, %a;", |a, _, _| a.abs().sqrt()),
        ("max.f64 %d, %a, %b;", |a, b, _| a.max(b)),
    ] {
        let mut inputs = inputs.clone();
        if piece.starts_with("sqrt") {
            inputs.iter_mut().for_each(|three| three[0] &= !(1 << 63));
        }
        for (input, output) in inputs.iter().zip(each(piece, &inputs)) {
            let [a, b, c] = input.map(f64::from_bits);
            assert_eq!(output, expected(a, b, c).to_bits(), "{piece} {a:e} {b:e} {c:e}");
        }
    }
}

#[test]
fn pairs_of_halves() {
    let two = |low: f32, high: f32| {
        let half = |number: f32| {
            crate::number::F16.narrow(number.into(), crate::number::Rounding::Nearest)
        };
        half(low) | half(high) << 16
    };
    assert_eq!(one("add.rn.f16x2 %d, %a, %b;", two(1.0, 2.0), two(0.5, -4.0), 0), two(1.5, -2.0));
    assert_eq!(
        one("fma.rn.f16x2 %d, %a, %b, %c;", two(3.0, 2.0), two(0.5, 8.0), two(1.0, 1.0)),
        two(2.5, 17.0)
    );
    assert_eq!(one("neg.f16x2 %d, %a;", two(3.0, -2.0), 0, 0), two(-3.0, 2.0));
    assert_eq!(one("max.f16x2 %d, %a, %b;", two(3.0, -2.0), two(4.0, -3.0), 0), two(4.0, -2.0));
    assert_eq!(one("mul.rn.bf16 %d, %a, %b;", 0x4040, 0x4000, 0), 0x40c0);
    assert_eq!(one("add.rn.f16 %d, %a, %b;", 0x7bff, 0x7bff, 0), 0x7c00);
}
