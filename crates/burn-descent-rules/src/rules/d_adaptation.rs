//! What the rules that find their own learning rate have in common: an estimate `d` of how far it is, one for the
//! whole model, which only grows.

use crate::Real;

/// The greatest growth in a step that an option asks for, where 0 is no limit.
pub(super) fn limit(growth_rate: f64) -> f64 {
    if growth_rate > 0.0 { growth_rate } else { f64::INFINITY }
}

/// `max(d, min(d̂, growth · d))` with `d̂ = numerator / denominator`, and `d` where the denominator is 0, before the
/// first gradient. A NaN stays one.
#[inline(always)]
pub(super) fn estimate<R: Real>(d: R, numerator: R, denominator: R, growth: Option<R>) -> R {
    let d_hat = numerator / denominator;
    let most = growth.map_or(d_hat, |growth| growth * d);
    let d_hat = R::select(most.lt(d_hat), most, d_hat);
    let longer = R::select(d_hat.lt(d), d, d_hat);
    R::select(R::lit(0.0).lt(denominator), longer, d + R::lit(0.0) * denominator)
}

/// A factor of the step: 0 where the sum of what has been seen is 0, so that nothing moves, not even by decay; 1
/// after the first gradient. A NaN stays one.
#[inline(always)]
pub(super) fn only_after<R: Real>(sum: R) -> R {
    let zero = R::lit(0.0);
    R::select(zero.lt(sum), R::lit(1.0), zero * sum)
}

#[cfg(test)]
mod tests {
    use super::estimate;
    use crate::optimizers::*;
    use crate::slices::Walk;
    use crate::{Rule, View};

    /// Two tensors after some steps in f32, with the same gradient at each.
    fn walked<U: Rule>(rule: &U, steps: usize, gradients: [&[f32]; 2]) -> [Vec<f32>; 2] {
        let mut p = [vec![1.0, -2.0, 0.0], vec![0.5]];
        let walk = |p: &Vec<f32>| Walk::of(rule.clone(), View::vector(p.len())).unwrap();
        let [mut a, mut b] = [&p[0], &p[1]].map(walk);
        for _ in 0..steps {
            let [pa, pb] = &mut p;
            let mut both =
                [(&mut a, &mut pa[..], gradients[0]), (&mut b, &mut pb[..], gradients[1])];
            Walk::step_together_with_loss(1.0, 1.0, &mut both).unwrap();
        }
        p
    }

    fn keeps_still_and_shows_nan<U: Rule>(rule: U) {
        let still = walked(&rule, 3, [&[0.0; 3], &[0.0]]);
        assert_eq!(still, [vec![1.0, -2.0, 0.0], vec![0.5]], "{}", U::NAME);
        let [a, b] = walked(&rule, 3, [&[0.1, f32::NAN, 0.0], &[1.0]]);
        assert!(a.iter().chain(&b).all(|x| x.is_nan()), "{}: {a:?} {b:?}", U::NAME);
        let [a, b] = walked(&rule, 4, [&[1e-38, 0.0, -1e37], &[1e37]]);
        assert!(a.iter().chain(&b).all(|x| x.is_finite()), "{}: {a:?} {b:?}", U::NAME);
        let [a, b] = walked(&rule, 4, [&[0.1, 0.0, -3.0], &[1e-3]]);
        assert!(a.iter().chain(&b).all(|x| x.is_finite()), "{}: {a:?} {b:?}", U::NAME);
    }

    #[test]
    fn a_rule_of_the_model_keeps_still_without_a_gradient_shows_a_nan_and_bears_what_overflows() {
        keeps_still_and_shows_nan(Prodigy::new());
        keeps_still_and_shows_nan(DAdaptAdam::new());
        keeps_still_and_shows_nan(DAdaptSgd::new());
        keeps_still_and_shows_nan(DAdaptAdaGrad::new());
        keeps_still_and_shows_nan(DAdaptLion::new());
        keeps_still_and_shows_nan(DAdaptAdan::new());
        keeps_still_and_shows_nan(DoG::new());
        keeps_still_and_shows_nan(DoWG::new());
        keeps_still_and_shows_nan(Momo::new());
        keeps_still_and_shows_nan(MomoAdam::new());
        keeps_still_and_shows_nan(Momo::new().adapt_lower_bound(true));
        keeps_still_and_shows_nan(MomoAdam::new().adapt_lower_bound(true));
        keeps_still_and_shows_nan(PolyakSgd::new());
        keeps_still_and_shows_nan(ScheduleFreePlus::new());
    }

    #[test]
    fn a_step_without_the_loss_is_refused_and_a_loss_is_turned_to_climb() {
        let mut walk = Walk::new(Momo::new(), 1).unwrap();
        let mut p = [1.0_f64];
        assert!(walk.step(1.0, &mut p, &[2.0]).is_err());
        assert_eq!((p, walk.state()[0][0]), ([1.0], 0.0));

        let (mut down, mut up) = ([1.0_f64], [1.0_f64]);
        walk.step_with_loss(1.0, 0.5, &mut down, &[2.0]).unwrap();
        let mut climbs = Walk::new(Momo::new().maximize(true), 1).unwrap();
        climbs.step_with_loss(1.0, -0.5, &mut up, &[-2.0]).unwrap();
        assert_eq!(down, up);
        assert!(down[0] < 1.0);
    }

    #[test]
    fn an_estimate_grows_by_its_limit_and_keeps_a_nan() {
        assert_eq!(estimate(2.0, 9.0, 3.0, None), 3.0);
        assert_eq!(estimate(2.0, 9.0, 3.0, Some(1.25)), 2.5);
        assert_eq!(estimate(2.0, -9.0, 3.0, Some(f64::INFINITY)), 2.0);
        assert_eq!(estimate(2.0, 0.0, 0.0, Some(1.25)), 2.0);
        assert!(estimate(2.0, 1.0, f64::NAN, None).is_nan());
        assert!(estimate(2.0, f64::NAN, 1.0, Some(1.25)).is_nan());
    }
}
