//! The rules as textbooks have them.

use super::Meaning::{Lr, Number};
use super::{Meaning, Row, row};
use crate::Point;

const ADAM: &[(&str, Meaning)] =
    &[("eta", Lr), ("beta1", Number("beta1")), ("beta2", Number("beta2"))];

const MOMENTUM: &[(&str, Meaning)] = &[("eta", Lr), ("beta", Number("momentum"))];

pub(super) const ROWS: &[Row] = &[
    row("gd").is("sgd", &[&[("eta", Lr)]]),
    row("momentum").is("sgd", &[MOMENTUM]).fixed(&[("classic", "true")]),
    row("nag").is("nesterov", &[MOMENTUM]).at(Point::Evaluated),
    row("adagrad")
        .is("adagrad", &[&[("eta", Lr), ("eps", Number("eps_root"))]])
        .fixed(&[("eps", "0")]),
    row("rmsprop")
        .is("rmsprop", &[&[("eta", Lr), ("beta", Number("rho")), ("eps", Number("eps_root"))]])
        .fixed(&[("eps", "0")]),
    row("adam_eps_inside")
        .is("adam", &[ADAM, &[("eps", Number("eps_root"))]])
        .fixed(&[("eps", "0")]),
    row("adam_eps_outside").is("adam", &[ADAM, &[("eps", Number("eps"))]]),
    row("adamax").is("adamax", &[ADAM, &[("eps", Number("eps_outside"))]]).fixed(&[("eps", "0")]),
    row("nadam_simple")
        .is("nadam", &[ADAM, &[("eps", Number("eps"))]])
        .fixed(&[("constant_momentum", "true"), ("next_bias", "false")]),
];
