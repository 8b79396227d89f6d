//! From numbers to places in a picture.

/// The numbers of an axis, and where they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    numbers: [f64; 2],
    places: [f64; 2],
    logarithmic: bool,
}

impl Scale {
    /// From one number to another, which are at these places.
    pub(super) fn new(numbers: [f64; 2], places: [f64; 2]) -> Self {
        Self { numbers, places, logarithmic: false }
    }

    /// Around all numbers that can be shown.
    pub(super) fn around(
        numbers: impl Iterator<Item = f64>,
        logarithmic: bool,
        places: [f64; 2],
    ) -> Self {
        let shown = numbers.filter(|number| number.is_finite() && (!logarithmic || *number > 0.0));
        let shown = shown.map(|number| if logarithmic { number.log10() } else { number });
        let span = shown.fold(None, |span: Option<[f64; 2]>, number| {
            let [least, greatest] = span.unwrap_or([number; 2]);
            Some([least.min(number), greatest.max(number)])
        });
        let [least, greatest] = span.unwrap_or([0.0, 1.0]);
        let room = if greatest > least { 0.04 * (greatest - least) } else { 0.5 };
        // An axis that is near to 0 begins there.
        let zero = !logarithmic && least >= 0.0 && least < 0.3 * greatest;
        let least = if zero { 0.0 } else { least - room };
        let numbers = [least, greatest + room];
        let numbers = if logarithmic { numbers.map(|power| 10_f64.powf(power)) } else { numbers };
        Self { numbers, places, logarithmic }
    }

    /// The place of a number, if it has one.
    pub(super) fn place(&self, number: f64) -> Option<f64> {
        let along = if self.logarithmic {
            let [from, to] = self.numbers.map(f64::log10);
            (number.log10() - from) / (to - from)
        } else {
            let [from, to] = self.numbers;
            (number - from) / (to - from)
        };
        let [from, to] = self.places;
        along.is_finite().then_some(from + (to - from) * along)
    }

    /// Round numbers along the axis, about so many.
    pub(super) fn ticks(&self, about: f64) -> Vec<f64> {
        let [from, to] = self.numbers;
        if self.logarithmic {
            let [from, to] = [from, to].map(f64::log10);
            let every = ((to - from) / about).ceil().max(1.0) as i32;
            let powers = (from.ceil() as i32..=to.floor() as i32).filter(|p| p % every == 0);
            let mantissas: &[f64] = if to - from < 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
            let first = from.floor() as i32;
            let powers = if mantissas.len() > 1 {
                (first..=to.floor() as i32).collect::<Vec<_>>()
            } else {
                powers.collect()
            };
            let ticks = powers.iter().flat_map(|p| mantissas.iter().map(|m| m * 10_f64.powi(*p)));
            return ticks.filter(|tick| self.holds(*tick)).collect();
        }
        let rough = (to - from) / about;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough);
        let step = step.unwrap_or(rough);
        let first = (from / step).ceil() as i64;
        (first..).map(|i| i as f64 * step).take_while(|tick| *tick <= to + step * 1e-6).collect()
    }

    fn holds(&self, number: f64) -> bool {
        let [from, to] = self.numbers;
        (from * (1.0 - 1e-9)..=to * (1.0 + 1e-9)).contains(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_ticks() {
        let scale = Scale::new([-2.0, 2.0], [100.0, 0.0]);
        assert_eq!((scale.place(0.0), scale.place(2.0)), (Some(50.0), Some(0.0)));
        assert_eq!(scale.place(f64::NAN), None);
        assert_eq!(scale.ticks(4.0), [-2.0, -1.0, 0.0, 1.0, 2.0]);
    }

    #[test]
    fn logarithmic() {
        let numbers = [1e-4, 0.0, f64::NAN, 1e3].into_iter();
        let scale = Scale::around(numbers, true, [0.0, 1.0]);
        let ticks = scale.ticks(5.0);
        assert!(ticks.contains(&1.0) && ticks.len() >= 3 && ticks.len() <= 8, "{ticks:?}");
        assert_eq!(scale.place(0.0), None);
        let narrow = Scale::around([0.1, 0.9].into_iter(), true, [0.0, 1.0]);
        assert_eq!(narrow.ticks(5.0), [0.1, 0.2, 0.5]);
    }

    #[test]
    fn any_numbers_make_an_axis() {
        for numbers in [&[][..], &[3.0], &[0.0, 0.0], &[f64::NAN], &[-1e300, 1e300], &[1.0, 2.0]] {
            for logarithmic in [false, true] {
                let scale = Scale::around(numbers.iter().copied(), logarithmic, [0.0, 9.0]);
                assert!(scale.ticks(6.0).len() < 20);
                assert!(numbers.iter().filter_map(|n| scale.place(*n)).all(|p| p.is_finite()));
            }
        }
    }
}
