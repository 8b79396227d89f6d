//! A report that has everything, and what could break a page.

use burn::tensor::Device;
use burn_descent_lab::draw::{Panel, Panels, Relief, Trail};
use burn_descent_lab::made::Made;
use burn_descent_lab::report::{Axis, Chart, Line, Part, Picture, Report, Section, Table};
use burn_descent_lab::surfaces::SURFACES;

const EVIL: &str = "</script><b class=\"evil\">&amp; <!-- ";

/// Where a text says to look.
pub(crate) const PAPER: &str = "https://arxiv.org/abs/1412.6980";

pub(crate) fn report() -> Report {
    let long = "a_word_that_does_not_end_".repeat(12);
    let section = |title: &str, parts| Section { title: title.into(), text: long.clone(), parts };
    let many = (0..46).map(|i| line(&format!("line {i}"), |x| x * f64::from(i + 1)));
    let gaps = vec![
        [Some(1.0), Some(1e-9)],
        [Some(10.0), None],
        [Some(1e5), Some(1e12)],
        [Some(1e6), Some(-1.0)],
    ];
    let gaps = Line { band: vec![[1.0, 1e-9, 1e3], [1e6, 1e-3, 1e9]], ..Line::new("gaps", gaps) };
    let nothing = Line::new("nothing", Vec::new());
    Report {
        title: format!("{EVIL} {long}"),
        made: Made::here(format!("lab {long}")),
        sections: vec![
            section(
                "Charts",
                vec![
                    chart("two", false, vec![line("first", |x| x * x), line(EVIL, |x| 3.0 * x)]),
                    chart("logarithmic", true, vec![gaps, nothing]),
                    chart("many", true, many.collect()),
                    chart("empty", false, Vec::new()),
                ],
            ),
            section(EVIL, vec![table(&long)]),
            section("Picture", vec![picture()]),
            section("No parts", Vec::new()),
            Section {
                title: "No winner: sgd, adam and adamw cannot be told apart by their accuracy"
                    .into(),
                text: format!("After a paper, {PAPER}."),
                parts: vec![claims()],
            },
        ],
    }
}

/// Three columns of which the last one matters most.
fn claims() -> Part {
    let columns = ["claim", "measured", "verdict"].map(String::from).to_vec();
    let measured = "Under a constant gradient steps without it are 3.2 times as long. ".repeat(4);
    let claim = "Adam's bias correction matters in the first steps".to_owned();
    Part::Table(Table { columns, rows: vec![vec![claim, measured, "does not hold".into()]] })
}

/// A line from 1 to 7.
fn line(name: &str, y: impl Fn(f64) -> f64) -> Line {
    let points = (1..=7).map(|x| [Some(f64::from(x)), Some(y(f64::from(x)))]);
    Line::new(name, points.collect())
}

fn chart(title: &str, logarithmic: bool, lines: Vec<Line>) -> Part {
    let axis = |name: &str| Axis { name: name.into(), logarithmic };
    let (x, y) = (axis("steps of an epoch"), axis("loss of the training examples"));
    Part::Chart(Chart { name: title.into(), title: title.into(), x, y, lines })
}

fn table(long: &str) -> Part {
    let columns = (0..30).map(|i| format!("column {i}")).collect();
    let row = |cell: &str| (0..30).map(|i| format!("{cell} {i}")).collect();
    Part::Table(Table { columns, rows: vec![row("1.5"), row(EVIL), row(long)] })
}

fn picture() -> Part {
    let relief = Relief::new(&SURFACES[0], [200.0, 200.0], 20, &Device::default()).unwrap();
    let trail = Trail { points: &[[-3.0, 2.0], [0.0, 0.0]], color: 0 };
    let panel =
        Panel { title: EVIL.into(), note: EVIL.into(), relief: &relief, trails: vec![trail] };
    let panels = Panels {
        title: EVIL.into(),
        subtitle: EVIL.into(),
        columns: 3,
        panels: vec![panel; 3],
        axes: true,
        legend: vec![[EVIL.into(), EVIL.into()]],
    };
    Part::Picture(Picture { name: "picture".into(), title: EVIL.into(), svg: panels.svg() })
}
