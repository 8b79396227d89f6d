//! The formula of a graph as text.

use crate::noise::UNIT;
use crate::{Domain, Fold, Graph, Id, Node, Real};

/// A part of a line that is longer gets a line of its own.
const LONG: usize = 60;

/// What a node is called in a formula: itself, or a word of [`Real`] that is several nodes.
#[derive(Clone, Copy)]
enum Word {
    Node(Node),
    Sign(Id),
    Cbrt(Id),
    Atan(Id),
    Atan2(Id, Id),
    Tanh(Id),
    Clamp(Id, Id, Id),
    Mean(Domain, Id),
    Normal,
}

impl Word {
    /// The word of each node.
    fn all(graph: &Graph) -> Vec<Self> {
        let mut words: Vec<_> = graph.nodes.iter().map(|node| Self::Node(*node)).collect();
        let abs = |node: &Node| if let Node::Abs(y) = *node { Some(y) } else { None };
        let neg = |node: &Node| if let Node::Neg(x) = *node { Some(x) } else { None };
        let search = graph.search();
        let xs: Vec<Id> = graph.nodes.iter().filter_map(neg).collect();
        let ys = graph.nodes.iter().filter_map(abs);
        for (y, x) in ys.flat_map(|y| xs.iter().map(move |x| (y, *x))) {
            if let Some(atan2) = search.find([y, x], |[y, x]| y.atan2(x)) {
                words[atan2] = Self::Atan2(y, x);
            }
        }
        for x in 0..words.len() {
            if let Some(sign) = search.find([x], |[x]| x.sign()) {
                words[sign] = Self::Sign(x);
            }
            if let Some(cbrt) = search.find([x], |[x]| x.cbrt()) {
                words[cbrt] = Self::Cbrt(x);
            }
            if let Some(atan) = search.find([x], |[x]| x.atan()) {
                words[atan] = Self::Atan(x);
            }
            if let Some(tanh) = search.find([x], |[x]| x.tanh()) {
                words[tanh] = Self::Tanh(x);
            }
            if let Node::Select(over, high, above) = graph.nodes[x]
                && graph.nodes[over] == Node::Lt(high, above)
                && let Node::Select(under, low, inner) = graph.nodes[above]
                && graph.nodes[under] == Node::Lt(inner, low)
            {
                words[x] = Self::Clamp(inner, low, high);
            }
            if let Node::Div(sum, count) = graph.nodes[x]
                && let Node::Fold(_, Fold::Sum, to, of) = graph.nodes[sum]
                && graph.nodes[count] == Node::Count(to)
            {
                words[x] = Self::Mean(to, of);
            }
            if let Node::Mul(drawn, unit) = graph.nodes[x]
                && graph.nodes[drawn] == Node::Noise
                && graph.nodes[unit] == Node::Literal(UNIT.to_bits())
            {
                words[x] = Self::Normal;
            }
        }
        words
    }

    /// The nodes that it is said of.
    fn arguments(self) -> Vec<Id> {
        match self {
            Self::Node(node) => node.arguments().collect(),
            Self::Sign(x) | Self::Cbrt(x) | Self::Atan(x) | Self::Tanh(x) | Self::Mean(_, x) => {
                vec![x]
            }
            Self::Normal => vec![],
            Self::Atan2(y, x) => vec![y, x],
            Self::Clamp(x, low, high) => vec![x, low, high],
        }
    }
}

/// How tightly a text holds together; where it must hold better, it stands in parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hold {
    Choice,
    Sum,
    Quotient,
    Product,
    Power,
    Atom,
}

/// The assignments of a graph in the order of evaluation, a line each. `t1 = ..` names a value that
/// is used more than once, `m ← ..` is the new `m`, and `m'` the old one where there is a new one.
pub(crate) fn formula(
    graph: &Graph,
    states: &[&str],
    scalars: &[&str],
    outputs: &[&str],
) -> Vec<String> {
    let words = Word::all(graph);
    let mut uses = vec![0; words.len()];
    graph.outputs.iter().for_each(|&id| uses[id] += 1);
    for id in (0..words.len()).rev() {
        if uses[id] > 0 {
            words[id].arguments().into_iter().for_each(|argument| uses[argument] += 1);
        }
    }
    let mut writer =
        Writer { words: &words, states, scalars, names: vec![None; words.len()], new: Vec::new() };
    let (mut lines, mut parts) = (Vec::new(), 0);
    for id in (0..words.len()).filter(|id| uses[*id] > 0) {
        if words[id].arguments().is_empty() {
            continue;
        }
        let (text, _) = writer.text(id);
        let output = graph.outputs.iter().position(|output| *output == id);
        let name = match output {
            Some(output) => {
                lines.push(format!("{} ← {text}", outputs[output]));
                writer.new.push(outputs[output].into());
                outputs[output].into()
            }
            None if uses[id] > 1 || text.chars().count() > LONG => {
                parts += 1;
                lines.push(format!("t{parts} = {text}"));
                format!("t{parts}")
            }
            None => continue,
        };
        writer.names[id] = Some(name);
    }
    // What is left are outputs that are nothing new: the gradient, another state, another output.
    for (&id, &output) in graph.outputs.iter().zip(outputs) {
        let (text, _) = writer.text(id);
        if text != output {
            lines.push(format!("{output} ← {text}"));
            writer.new.push(output.into());
        }
    }
    lines
}

/// What has been written so far.
struct Writer<'a> {
    words: &'a [Word],
    states: &'a [&'a str],
    scalars: &'a [&'a str],
    /// The names of values that have a line.
    names: Vec<Option<String>>,
    /// The parameter and the states that have a new value.
    new: Vec<String>,
}

impl Writer<'_> {
    fn text(&self, id: Id) -> (String, Hold) {
        use Node::*;
        if let Some(name) = &self.names[id] {
            return (name.clone(), Hold::Atom);
        }
        let node = match self.words[id] {
            Word::Node(node) => node,
            Word::Sign(x) => return self.call("sign", &[x]),
            Word::Cbrt(x) => return (format!("∛{}", self.held(x, Hold::Atom)), Hold::Power),
            Word::Atan(x) => return self.call("atan", &[x]),
            Word::Atan2(y, x) => return self.call("atan2", &[y, x]),
            Word::Tanh(x) => return self.call("tanh", &[x]),
            Word::Clamp(x, low, high) => return self.call("clamp", &[x, low, high]),
            Word::Mean(to, x) => return self.call(&format!("mean[{}]", to.name()), &[x]),
            Word::Normal => return ("normal".into(), Hold::Atom),
        };
        match node {
            Parameter => (self.old("p"), Hold::Atom),
            State(lane) => (self.old(self.states[lane]), Hold::Atom),
            Gradient => ("g".into(), Hold::Atom),
            Noise => ("noise".into(), Hold::Atom),
            Count(of) => (format!("count[{}]", of.name()), Hold::Atom),
            Known(number) => (format!("known{number}"), Hold::Atom),
            Fold(_, fold, to, x) => {
                let fold = match fold {
                    crate::Fold::Sum => "sum",
                    crate::Fold::Max => "max",
                    crate::Fold::Whole => return self.call("whole", &[x]),
                };
                self.call(&format!("{fold}[{}]", to.name()), &[x])
            }
            Scalar(lane) => (self.scalars[lane].into(), Hold::Atom),
            Literal(bits) => number(f64::from_bits(bits)),
            Add(a, b) => self.infix(a, " + ", b, Hold::Sum, Hold::Quotient),
            Sub(a, b) => self.infix(a, " - ", b, Hold::Sum, Hold::Quotient),
            Div(a, b) => self.infix(a, " / ", b, Hold::Quotient, Hold::Power),
            Pow(a, b) => (self.infix(a, "^", b, Hold::Atom, Hold::Atom).0, Hold::Power),
            Lt(a, b) => (self.infix(a, " < ", b, Hold::Sum, Hold::Sum).0, Hold::Choice),
            Mul(..) => (self.product(id), Hold::Product),
            Max(a, b) => self.call("max", &[a, b]),
            Neg(a) => (format!("-{}", self.held(a, Hold::Product)), Hold::Sum),
            RoughCbrt(a) => (format!("∛{}", self.held(a, Hold::Atom)), Hold::Power),
            Sqrt(a) => (format!("√{}", self.held(a, Hold::Atom)), Hold::Power),
            Abs(a) => (format!("|{}|", self.text(a).0), Hold::Atom),
            Select(mask, yes, no) => {
                let (mask, yes, no) = (self.text(mask).0, self.held(yes, Hold::Sum), self.text(no));
                (format!("if {mask} then {yes} else {}", no.0), Hold::Choice)
            }
        }
    }

    /// The text of a value, in parentheses unless it holds together as it must.
    fn held(&self, id: Id, least: Hold) -> String {
        match self.text(id) {
            (text, hold) if hold < least => format!("({text})"),
            (text, _) => text,
        }
    }

    fn infix(&self, a: Id, sign: &str, b: Id, left: Hold, right: Hold) -> (String, Hold) {
        (format!("{}{sign}{}", self.held(a, left), self.held(b, right)), left)
    }

    fn call(&self, word: &str, arguments: &[Id]) -> (String, Hold) {
        let arguments: Vec<String> = arguments.iter().map(|id| self.text(*id).0).collect();
        (format!("{word}({})", arguments.join(", ")), Hold::Atom)
    }

    /// Factors, numbers first, equal neighbours as a power.
    fn product(&self, id: Id) -> String {
        let mut factors = Vec::new();
        self.factors(id, &mut factors);
        factors.sort_by_key(|id| !matches!(self.words[*id], Word::Node(Node::Literal(_))));
        let powers = factors.chunk_by(|a, b| a == b).map(|equal| {
            let least = if equal.len() > 1 { Hold::Atom } else { Hold::Power };
            let factor = self.held(equal[0], least);
            match equal.len() {
                1 => factor,
                2 => factor + "²",
                3 => factor + "³",
                power => format!("{factor}^{power}"),
            }
        });
        powers.collect::<Vec<_>>().join("·")
    }

    fn factors(&self, id: Id, list: &mut Vec<Id>) {
        match self.words[id] {
            Word::Node(Node::Mul(a, b)) if self.names[id].is_none() => {
                self.factors(a, list);
                self.factors(b, list);
            }
            _ => list.push(id),
        }
    }

    /// The value that a name has before the step.
    fn old(&self, name: &str) -> String {
        let primed = self.new.iter().any(|new| new == name);
        format!("{name}{}", if primed { "'" } else { "" })
    }
}

fn number(value: f64) -> (String, Hold) {
    let text =
        if value == 0.0 || value.abs() >= 1e-3 { value.to_string() } else { format!("{value:e}") };
    (text, if value < 0.0 { Hold::Sum } else { Hold::Atom })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Explanation, Madgrad, Padam, Rprop};

    #[test]
    fn parentheses_stand_where_they_must() {
        use Node::*;
        let nodes = vec![
            Parameter,
            Gradient,
            Scalar(0),
            Add(0, 1),
            Sub(2, 3),
            Div(4, 4),
            Mul(2, 5),
            Neg(6),
            Sqrt(7),
            Pow(8, 2),
            Mul(9, 9),
            Mul(0, 9),
            Add(10, 11),
        ];
        let text = formula(&Graph { nodes, outputs: vec![12] }, &[], &["lr"], &["p"]);
        let expected = ["t1 = lr - (p + g)", "t2 = (√(-lr·(t1 / t1)))^lr", "p ← t2² + p·t2"];
        assert_eq!(text, expected);
    }

    #[test]
    fn the_old_value_has_a_prime_where_there_is_a_new_one() {
        use Node::*;
        let nodes = vec![Parameter, State(0), Gradient, Add(1, 2), Mul(1, 3), Sub(0, 4)];
        let graph = Graph { nodes, outputs: vec![5, 3, 2] };
        let text = formula(&graph, &["m", "last"], &[], &["p", "m", "last"]);
        assert_eq!(text, ["m ← m + g", "p ← p - m'·m", "last ← g"]);
    }

    #[test]
    fn words_of_real_are_said_as_one() {
        let rprop = Explanation::of(&Rprop::new()).formula.join("\n");
        assert!(rprop.contains("sign(g)") && rprop.contains("clamp(t4, "), "{rprop}");
        let madgrad = Explanation::of(&Madgrad::new()).formula.join("\n");
        assert!(madgrad.contains("s / (∛nu + eps)"), "{madgrad}");
        let padam = Explanation::of(&Padam::new()).formula.join("\n");
        assert!(padam.contains("lr·m / (√v_max + eps)^power"), "{padam}");
    }
}
