//! One transform after another.

use super::{Names, Point, Transform};
use crate::{
    Domain, Fields, Fixed, Keep, Matrix, OptionMut, Options, Over, Presence, Real, View, Whole,
    options_by_name,
};

/// The transform `then` after the transform `first`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Then<A, B> {
    pub(super) first: A,
    pub(super) then: B,
}

/// The fields of two transforms, one after another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Both<A, B> {
    /// Of the first.
    pub first: A,
    /// Of the second.
    pub then: B,
}

impl<R: Copy, A: Fields<R, Forms = Fixed>, B: Fields<R, Forms = Fixed>> Fields<R> for Both<A, B> {
    type Forms = Fixed;
    const COARSE: bool = A::COARSE || B::COARSE;
    const LINES: u32 = A::LINES | B::LINES;

    #[inline(always)]
    fn read<P: Presence>(mut lane: impl FnMut(usize) -> R) -> Self {
        let mut lanes = 0;
        let first = A::read::<P>(|number| {
            lanes = number + 1;
            lane(number)
        });
        Self { first, then: B::read::<P>(|number| lane(lanes + number)) }
    }

    #[inline(always)]
    fn write<P: Presence>(self, mut lane: impl FnMut(usize, &'static str, R)) {
        let mut lanes = 0;
        self.first.write::<P>(|number, name, value| {
            lanes = number + 1;
            lane(number, name, value);
        });
        self.then.write::<P>(|number, name, value| lane(lanes + number, name, value));
    }

    fn presence(&self) -> u32 {
        0
    }

    fn domains<P: Presence>(mut lane: impl FnMut(usize, Domain, bool)) {
        let mut lanes = 0;
        A::domains::<P>(|number, domain, positive| {
            lanes = number + 1;
            lane(number, domain, positive);
        });
        B::domains::<P>(|number, domain, positive| lane(lanes + number, domain, positive));
    }
}

impl<A: Transform, B: Transform> Transform for Then<A, B> {
    const NAME: &'static str = "then";
    const SUMS: usize = A::SUMS + B::SUMS;
    const STAGES: usize = A::STAGES + B::STAGES;
    const WHOLES: usize = A::WHOLES + B::WHOLES;
    type State<R: Copy> = Both<A::State<R>, B::State<R>>;
    type Scalars<R: Copy> = Both<A::Scalars<R>, B::Scalars<R>>;

    fn start(&self) -> Self::State<f64> {
        Both { first: self.first.start(), then: self.then.start() }
    }

    fn scalars(&self, lr: f64, t: u64) -> Self::Scalars<f64> {
        Both { first: self.first.scalars(lr, t), then: self.then.scalars(lr, t) }
    }

    #[inline(always)]
    fn transform<R: Real>(
        u: R,
        at: Point<R>,
        s: Self::State<R>,
        k: Self::Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Self::State<R>) {
        let (u, first) = A::transform(u, at, s.first, k.first, over);
        let (u, then) = B::transform(u, at, s.then, k.then, over);
        (u, Both { first, then })
    }

    fn whole<M: Matrix>(&self, x: M, kept: &mut [M], at: &mut Whole) -> M {
        let (first, then) = kept.split_at_mut(self.first.keeps(at.view, &at.dims).len());
        match at.number.checked_sub(A::WHOLES) {
            None => self.first.whole(x, first, at),
            Some(number) => {
                at.number = number;
                self.then.whole(x, then, at)
            }
        }
    }

    fn keeps(&self, view: View, dims: &[usize]) -> Vec<Keep> {
        let mut all = self.first.keeps(view, dims);
        all.extend(self.then.keeps(view, dims));
        all
    }

    fn each_named(&mut self, names: &mut Names, see: &mut dyn FnMut(OptionMut<'_>)) {
        self.first.each_named(names, see);
        self.then.each_named(names, see);
    }
}

impl<A: Transform, B: Transform> Options for Then<A, B> {
    fn each(&mut self, see: &mut dyn FnMut(OptionMut<'_>)) {
        self.each_named(&mut Names::default(), see);
    }
}

options_by_name!([A: Transform, B: Transform] Then<A, B>);
