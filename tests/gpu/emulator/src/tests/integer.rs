use super::{Random, each, one};

/// Holds an instruction against a function of its three operands; results are compared in `mask`.
fn check(piece: &str, mask: u64, expected: impl Fn(u64, u64, u64) -> u64) {
    let inputs = Random(1).inputs(2000);
    for ([a, b, c], output) in inputs.iter().copied().zip(each(piece, &inputs)) {
        let expected = expected(a, b, c);
        assert_eq!(output & mask, expected & mask, "{piece} {a:#x} {b:#x} {c:#x}");
    }
}

const W16: u64 = 0xffff;
const W32: u64 = 0xffff_ffff;
const W64: u64 = u64::MAX;

#[test]
fn sums_and_products() {
    check("add.s64 %d, %a, %b;", W64, |a, b, _| a.wrapping_add(b));
    check("sub.u32 %d, %a, %b;", W32, |a, b, _| a.wrapping_sub(b));
    check("add.s16 %d, %a, %b;", W16, |a, b, _| a.wrapping_add(b));
    check("add.sat.s32 %d, %a, %b;", W32, |a, b, _| (a as i32).saturating_add(b as i32) as u64);
    check("sub.sat.s32 %d, %a, %b;", W32, |a, b, _| (a as i32).saturating_sub(b as i32) as u64);
    check("mul.lo.s32 %d, %a, %b;", W32, |a, b, _| (a as i32).wrapping_mul(b as i32) as u64);
    check("mul.lo.s64 %d, %a, %b;", W64, |a, b, _| a.wrapping_mul(b));
    check("mul.hi.s32 %d, %a, %b;", W32, |a, b, _| {
        ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u64
    });
    check("mul.hi.u32 %d, %a, %b;", W32, |a, b, _| ((a & W32) * (b & W32)) >> 32);
    check("mul.hi.u64 %d, %a, %b;", W64, |a, b, _| ((u128::from(a) * u128::from(b)) >> 64) as u64);
    check("mul.hi.s64 %d, %a, %b;", W64, |a, b, _| {
        ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64
    });
    check("mul.wide.s32 %d, %a, %b;", W64, |a, b, _| {
        (i64::from(a as i32) * i64::from(b as i32)) as u64
    });
    check("mul.wide.u32 %d, %a, %b;", W64, |a, b, _| (a & W32) * (b & W32));
    check("mul.wide.u16 %d, %a, %b;", W32, |a, b, _| (a & W16) * (b & W16));
    check("mad.lo.s32 %d, %a, %b, %c;", W32, |a, b, c| a.wrapping_mul(b).wrapping_add(c));
    check("mad.hi.u32 %d, %a, %b, %c;", W32, |a, b, c| {
        (((a & W32) * (b & W32)) >> 32).wrapping_add(c)
    });
    check("mad.wide.s32 %d, %a, %b, %c;", W64, |a, b, c| {
        (i64::from(a as i32) * i64::from(b as i32)).wrapping_add(c as i64) as u64
    });
}

#[test]
fn quotients() {
    check("div.s32 %d, %a, %b;", W32, |a, b, _| {
        (a as i32)
            .checked_div(b as i32)
            .map_or_else(|| if b as i32 == 0 { W32 } else { a }, |quotient| quotient as u64)
    });
    check("div.u64 %d, %a, %b;", W64, |a, b, _| a.checked_div(b).unwrap_or(W64));
    check("rem.s64 %d, %a, %b;", W64, |a, b, _| {
        (a as i64).checked_rem(b as i64).map_or(a, |r| r as u64)
    });
    check("rem.u32 %d, %a, %b;", W32, |a, b, _| (a & W32).checked_rem(b & W32).unwrap_or(a));
    assert_eq!(one("div.s32 %d, %a, %b;", i32::MIN as u64, -1i64 as u64, 0) & W32, 1 << 31);
}

#[test]
fn order() {
    check("min.s32 %d, %a, %b;", W32, |a, b, _| (a as i32).min(b as i32) as u64);
    check("max.u32 %d, %a, %b;", W32, |a, b, _| (a as u32).max(b as u32).into());
    check("max.s64 %d, %a, %b;", W64, |a, b, _| (a as i64).max(b as i64) as u64);
    check("min.s16 %d, %a, %b;", W16, |a, b, _| (a as i16).min(b as i16) as u64);
    check("abs.s32 %d, %a;", W32, |a, _, _| (a as i32).wrapping_abs() as u64);
    check("neg.s64 %d, %a;", W64, |a, _, _| a.wrapping_neg());
    for (name, holds) in [("lt", -1), ("eq", 0), ("gt", 1)] {
        for (of, signed) in [("s32", true), ("u32", false)] {
            let piece = format!("setp.{name}.{of} %p1, %a, %b;\n selp.b64 %d, 1, 0, %p1;");
            check(&piece, W64, |a, b, _| {
                let order =
                    if signed { (a as i32).cmp(&(b as i32)) } else { (a as u32).cmp(&(b as u32)) };
                u64::from(order as i32 == holds)
            });
        }
    }
    check("setp.ls.u64 %p1, %a, %b;\n selp.b64 %d, 1, 0, %p1;", W64, |a, b, _| u64::from(a <= b));
    check("setp.ne.b16 %p1, %a, %b;\n selp.b64 %d, 1, 0, %p1;", W64, |a, b, _| {
        u64::from(a & W16 != b & W16)
    });
}

#[test]
fn bits() {
    check("and.b32 %d, %a, %b;", W32, |a, b, _| a & b);
    check("or.b64 %d, %a, %b;", W64, |a, b, _| a | b);
    check("xor.b16 %d, %a, %b;", W16, |a, b, _| a ^ b);
    check("not.b32 %d, %a;", W32, |a, _, _| !a);
    check("shl.b32 %d, %a, %b;", W32, |a, b, _| {
        (a as u32).checked_shl(b as u32).unwrap_or(0).into()
    });
    check("shr.u64 %d, %a, %b;", W64, |a, b, _| a.checked_shr(b as u32).unwrap_or(0));
    check("shr.s32 %d, %a, %b;", W32, |a, b, _| (a as i32 >> (b as u32).min(31)) as u64);
    check("shr.s16 %d, %a, 3;", W16, |a, _, _| (a as i16 >> 3) as u64);
    check("popc.b32 %d, %a;", W32, |a, _, _| (a as u32).count_ones().into());
    check("clz.b64 %d, %a;", W32, |a, _, _| a.leading_zeros().into());
    check("clz.b32 %d, %a;", W32, |a, _, _| (a as u32).leading_zeros().into());
    check("brev.b32 %d, %a;", W32, |a, _, _| (a as u32).reverse_bits().into());
    check("lop3.b32 %d, %a, %b, %c, 0xE8;", W32, |a, b, c| a & b | a & c | b & c);
    check("lop3.b32 %d, %a, %b, %c, 0x6A;", W32, |a, b, c| a & b ^ c);
    check("shf.l.wrap.b32 %d, %a, %a, %c;", W32, |a, _, c| (a as u32).rotate_left(c as u32).into());
    check("shf.r.wrap.b32 %d, %a, %a, %c;", W32, |a, _, c| {
        (a as u32).rotate_right(c as u32).into()
    });
    assert_eq!(one("shf.r.clamp.b32 %d, %a, %b, %c;", 1, 7, 40) & W32, 7);
    assert_eq!(one("shf.l.clamp.b32 %d, %a, %b, %c;", 9, 7, 40) & W32, 9);
    check("prmt.b32 %d, %a, %b, 0x0123;", W32, |a, _, _| (a as u32).swap_bytes().into());
    check("prmt.b32 %d, %a, %b, 0x5410;", W32, |a, b, _| a & W16 | (b & W16) << 16);
    assert_eq!(one("prmt.b32 %d, %a, %b, 0x9B3F;", 0x8001_ff7f, 0x80ff_0000, 0) & W32, 0xffff_80ff);
}

#[test]
fn fields() {
    check("bfe.u32 %d, %a, 5, 9;", W32, |a, _, _| a >> 5 & 511);
    check("bfe.s32 %d, %a, 5, 9;", W32, |a, _, _| ((a as i32) << 18 >> 23) as u64);
    check("bfe.s32 %d, %a, 28, 9;", W32, |a, _, _| ((a as i32) >> 28) as u64);
    check("bfe.u64 %d, %a, 40, 64;", W64, |a, _, _| a >> 40);
    check("bfe.u32 %d, %a, 40, 3;", W32, |_, _, _| 0);
    check("bfi.b32 %d, %a, %b, 4, 8;", W32, |a, b, _| b & !0xff0 | (a & 0xff) << 4);
    check("mov.b32 {%h1, %h2}, %a;\n mov.b32 %d, {%h2, %h1};", W32, |a, _, _| {
        (a as u32).rotate_left(16).into()
    });
    check("mov.b64 {_, %r1}, %a;\n cvt.u64.u32 %d, %r1;", W64, |a, _, _| a >> 32);
}
