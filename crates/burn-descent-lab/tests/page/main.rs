//! The page of a report in a real browser.
//!
//! Without Chromium these tests are ignored; `BURN_DESCENT_REQUIRE=chromium` makes its absence a
//! failure.

mod browser;
mod sample;

use browser::Browser;
use burn_descent_lab::page;
use burn_descent_lab::report::{Part, Report};
use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Where a page is looked at.
#[derive(Clone, Copy)]
struct Screen {
    name: &'static str,
    size: [u32; 2],
    scheme: &'static str,
}

const SCREENS: [Screen; 5] = [
    Screen { name: "phone/light", size: [360, 740], scheme: "light" },
    Screen { name: "phone/dark", size: [360, 740], scheme: "dark" },
    Screen { name: "phone/wide", size: [390, 844], scheme: "light" },
    Screen { name: "desktop/light", size: [1280, 800], scheme: "light" },
    Screen { name: "desktop/dark", size: [1280, 800], scheme: "dark" },
];

fn main() {
    let arguments = Arguments::from_args();
    let required = std::env::var("BURN_DESCENT_REQUIRE").unwrap_or_default();
    let required = required.split(',').any(|name| name.trim() == "chromium");
    let program = browser::find();
    let trials = SCREENS.map(|screen| match &program {
        Some(program) => {
            let program = program.clone();
            Trial::test(screen.name, move || {
                look(&program, screen);
                Ok(())
            })
        }
        None => Trial::test(screen.name, || Err("there is no chromium on the path".into()))
            .with_kind("there is no chromium on the path")
            .with_ignored_flag(!required),
    });
    libtest_mimic::run(&arguments, trials.into()).exit();
}

fn look(program: &Path, screen: Screen) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let report = sample::report();
    fs::write(&file, page::html(&report).unwrap()).unwrap();
    let mut browser = Browser::open(program);
    let [width, height] = screen.size;
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 }),
    );
    let scheme = json!({ "name": "prefers-color-scheme", "value": screen.scheme });
    browser.call("Emulation.setEmulatedMedia", json!({ "features": [scheme] }));
    browser.go(&file);
    everything_is_there(&mut browser, &report);
    nothing_overflows(&mut browser);
    tables_use_the_width(&mut browser, screen);
    texts_lead_on(&mut browser, &report);
    the_side_is_right(&mut browser, screen);
    charts_answer(&mut browser, &report);
    nothing_is_wrong(&browser);
}

fn everything_is_there(browser: &mut Browser, report: &Report) {
    let parts = || report.sections.iter().flat_map(|section| &section.parts);
    let expected: Vec<Value> = parts()
        .filter_map(|part| match part {
            Part::Chart(chart) => {
                let drawn = |points: &Vec<[Option<f64>; 2]>| {
                    points.iter().any(|point| point.iter().all(Option::is_some))
                };
                let lines = chart.lines.iter().filter(|line| drawn(&line.points));
                Some(json!(lines.count()))
            }
            _ => None,
        })
        .collect();
    let drawn = "[...document.querySelectorAll('svg.chart')].map(chart =>
        [...chart.querySelectorAll('path.line')].filter(line => line.getTotalLength() > 0).length)";
    assert_eq!(browser.evaluate(drawn), json!(expected));
    let pictures = parts().filter(|part| matches!(part, Part::Picture(_))).count();
    let shown = "[...document.images].filter(image => image.complete && image.naturalWidth > 0 && \
                 image.getBoundingClientRect().width > 100).length";
    assert_eq!(browser.evaluate(shown), json!(pictures));
    let titles: Vec<&str> = report.sections.iter().map(|section| &*section.title).collect();
    let shown = "[...document.querySelectorAll('h2')].map(title => title.textContent)";
    assert_eq!(browser.evaluate(shown), json!(titles), "texts are texts");
    let cells = "[...document.querySelectorAll('td')].map(cell => cell.textContent)";
    let expected: Vec<&String> = parts()
        .filter_map(|part| match part {
            Part::Table(table) => Some(table.rows.iter().flatten()),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(browser.evaluate(cells), json!(expected));
    assert_eq!(browser.evaluate("document.querySelectorAll('b.evil').length"), json!(0));
}

/// What is wider than the page has a box of its own to be scrolled in, and the words of a chart are
/// in it.
fn nothing_overflows(browser: &mut Browser) {
    let sideways = browser.evaluate(
        "(() => {
            const page = document.documentElement;
            const wide = [...document.body.querySelectorAll('*')].filter(one => {
                const box = one.getBoundingClientRect();
                return !one.parentElement.closest('.scroll, .picture, .command, nav, svg')
                    && (box.right > page.clientWidth + .5 || box.left < -.5);
            });
            return [page.scrollWidth - page.clientWidth, wide.map(one => one.outerHTML.slice(0, 80))];
        })()",
    );
    assert_eq!(sideways, json!([0, []]));
    let words = browser.evaluate(
        "[...document.querySelectorAll('svg.chart')].flatMap(chart => {
            const edge = chart.getBoundingClientRect();
            return [...chart.querySelectorAll('text')].filter(text => {
                const box = text.getBoundingClientRect();
                return box.left < edge.left - .5 || box.right > edge.right + .5
                    || box.top < edge.top - .5 || box.bottom > edge.bottom + .5;
            }).map(text => text.textContent);
        })",
    );
    assert_eq!(words, json!([]), "words of charts that are cut off");
}

/// All cells are in sight: as lists on a phone, and in columns where there is room.
fn tables_use_the_width(browser: &mut Browser, screen: Screen) {
    let hidden = "[...document.querySelectorAll('td')].filter(cell =>
        cell.getBoundingClientRect().right > document.documentElement.clientWidth + .5).length";
    assert_eq!(browser.evaluate(hidden), json!(0), "cells beyond the edge");
    let lists =
        "[...document.querySelectorAll('.scroll')].map(one => one.classList.contains('lists'))";
    // Of thirty columns, and of three.
    assert_eq!(browser.evaluate(lists), json!([true, screen.size[0] < 600]));
    let named = "(cell => getComputedStyle(cell, '::before').content)(
        document.querySelector('section:last-of-type td:last-child'))";
    if screen.size[0] < 600 {
        assert_eq!(browser.evaluate(named), json!("\"verdict\""));
    }
}

/// Papers are links, chips are short, and the foot says who made it.
fn texts_lead_on(browser: &mut Browser, report: &Report) {
    let links = "[...document.querySelectorAll('p a')].map(link => link.href)";
    assert_eq!(browser.evaluate(links), json!([sample::PAPER]));
    let chips =
        "[...document.querySelectorAll('nav a')].map(chip => [chip.textContent, chip.offsetWidth])";
    let chips: Vec<(String, f64)> = serde_json::from_value(browser.evaluate(chips)).unwrap();
    assert!(chips.iter().all(|(_, width)| *width <= 208.0), "{chips:?}");
    assert_eq!(chips.last().unwrap().0, "No winner");
    let foot = browser.evaluate("document.querySelector('footer').textContent");
    let foot = foot.as_str().unwrap();
    assert!(foot.contains(&report.made.version) && foot.contains(&report.made.machine), "{foot}");
}

fn the_side_is_right(browser: &mut Browser, screen: Screen) {
    let brightness = |tag: &str, property: &str| {
        format!(
            "Math.max(...getComputedStyle(document.querySelector('{tag}')).{property}\
             .match(/\\d+/g).slice(0, 3).map(Number))"
        )
    };
    let paper = browser.evaluate(&brightness("html", "backgroundColor"));
    let ink = browser.evaluate(&brightness("h1", "color"));
    let (paper, ink) = (paper.as_u64().unwrap(), ink.as_u64().unwrap());
    assert_eq!(paper < ink, screen.scheme == "dark", "paper {paper}, ink {ink}");
    assert!(paper.abs_diff(ink) > 150, "paper {paper}, ink {ink}");
}

fn charts_answer(browser: &mut Browser, report: &Report) {
    let Some(Part::Chart(chart)) = report.sections[0].parts.first() else {
        panic!("the sample begins with a chart")
    };
    let box_of = |what: &str| {
        format!(
            "(() => {{ const one = {what}; one.scrollIntoView({{ block: 'center' }}); \
             const box = one.getBoundingClientRect(); \
             return [box.left, box.top, box.width, box.height]; }})()"
        )
    };
    let place = |browser: &mut Browser, what: &str, share: f64| {
        let numbers: Vec<f64> = serde_json::from_value(browser.evaluate(&box_of(what))).unwrap();
        [numbers[0] + share * numbers[2], numbers[1] + 0.5 * numbers[3]]
    };
    let readout = "document.querySelector('.readout')";
    let said = format!("{readout}.hidden ? null : {readout}.innerText");
    assert_eq!(browser.evaluate(&said), Value::Null);

    let right = place(browser, "document.querySelector('svg.chart')", 0.97);
    browser.mouse("mouseMoved", right);
    let text = browser.evaluate(&said);
    let text = text.as_str().expect("a read-out");
    for line in &chart.lines {
        let [_, y] = line.points.last().unwrap();
        let value = y.expect("the sample ends with a number").to_string();
        assert!(text.contains(line.name.trim()) && text.contains(&value), "{text}");
    }
    let inside = format!(
        "(() => {{ const box = {readout}.getBoundingClientRect(); \
         return box.left >= 0 && box.right <= document.documentElement.clientWidth; }})()"
    );
    assert_eq!(browser.evaluate(&inside), json!(true), "the read-out is in the page");
    browser.mouse("mouseMoved", [right[0], 2.0]);
    assert_eq!(browser.evaluate(&said), Value::Null, "it goes away");

    let lines = "document.querySelector('svg.chart').querySelectorAll('path.line').length";
    let all = browser.evaluate(lines).as_u64().unwrap();
    let button = place(browser, "document.querySelector('.legend button')", 0.5);
    for left in [all - 1, all] {
        browser.mouse("mousePressed", button);
        browser.mouse("mouseReleased", button);
        browser.settle();
        assert_eq!(browser.evaluate(lines), json!(left), "the legend hides and shows a line");
    }

    browser.evaluate("document.querySelector('svg.chart').focus()");
    for kind in ["keyDown", "keyUp"] {
        browser.call("Input.dispatchKeyEvent", json!({ "type": kind, "key": "ArrowRight" }));
    }
    assert!(browser.evaluate(&said).is_string(), "the arrow keys read too");
}

fn nothing_is_wrong(browser: &Browser) {
    let wrong = browser.events.iter().filter(|event| {
        let params = &event["params"];
        match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => params["type"] == "error",
            Some("Log.entryAdded") => params["entry"]["level"] == "error",
            Some("Network.requestWillBeSent") => {
                let url = params["request"]["url"].as_str().unwrap_or_default();
                !url.starts_with("data:") && !url.ends_with("/report.html")
            }
            _ => false,
        }
    });
    assert_eq!(wrong.collect::<Vec<_>>(), Vec::<&Value>::new());
}
