//! Functions of x as people type them: `exp(-x^2) / sqrt(pi)`.
//!
//! A recursive-descent parser of
//!
//! ```text
//! sum     = product { ("+" | "-") product }
//! product = unary { ("*" | "/") unary }
//! unary   = ("-" | "+") unary | power
//! power   = primary [ "^" unary ]
//! primary = number | "x" | "pi" | "e" | function "(" sum ")" | "(" sum ")"
//! ```
//!
//! so `-x^2` is −(x²) and `2^3^2` is 2⁹. It computes with tensors: for many x at once, and with
//! derivatives by autodiff.

use burn::tensor::{DType, Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// A function of x.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expression {
    text: String,
    root: Node,
}

#[derive(Debug, Clone)]
enum Node {
    Number(f64),
    X,
    Negative(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    Call(Function, Box<Node>),
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

type Function = fn(Tensor<1>) -> Tensor<1>;

const FUNCTIONS: [(&str, Function); 10] = [
    ("sin", Tensor::sin),
    ("cos", Tensor::cos),
    ("tan", Tensor::tan),
    ("sinh", Tensor::sinh),
    ("cosh", Tensor::cosh),
    ("tanh", Tensor::tanh),
    ("exp", Tensor::exp),
    ("ln", Tensor::log),
    ("sqrt", Tensor::sqrt),
    ("abs", Tensor::abs),
];

/// Longer texts and deeper brackets are refused, so that no input can exhaust the stack.
const LONGEST: usize = 500;
const DEEPEST: usize = 50;

/// Expressions are the same where their texts are.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl TryFrom<String> for Expression {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|why| format!("a function of x such as `exp(-x^2)`: {why}"))
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> Self {
        expression.text
    }
}

impl Expression {
    /// The function that `text` says; the error says where it is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > LONGEST {
            return Err(format!("longer than {LONGEST} characters"));
        }
        let mut parser = Parser { text, at: 0, depth: 0 };
        let root = parser.sum()?;
        match parser.peek() {
            None => Ok(Self { text: text.trim().to_owned(), root }),
            Some(_) => Err(parser.unexpected("an operator (+ - * / ^) or the end")),
        }
    }

    /// The text that it was read from.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Its values at `x`.
    pub(super) fn values(&self, x: &Tensor<1>) -> Tensor<1> {
        self.root.values(x)
    }

    /// Whether it has the same value for every x.
    pub(super) fn is_constant(&self) -> bool {
        self.root.is_constant()
    }
}

/// The values of `integrand` at many places, in double precision.
pub(super) fn values<'a>(
    integrand: &'a Expression,
    device: &'a Device,
) -> impl Fn(&[f64]) -> Vec<f64> + 'a {
    move |places| {
        let x = Tensor::<1>::from_data(TensorData::from(places), (device, DType::F64));
        integrand.values(&x).into_data().iter::<f64>().collect()
    }
}

impl Node {
    fn values(&self, x: &Tensor<1>) -> Tensor<1> {
        match self {
            Self::Number(value) => x.zeros_like().add_scalar(*value),
            Self::X => x.clone(),
            Self::Negative(node) => node.values(x).neg(),
            Self::Call(function, node) => function(node.values(x)),
            Self::Binary(operator, left, right) => {
                let left = left.values(x);
                match operator {
                    Operator::Add => left + right.values(x),
                    Operator::Subtract => left - right.values(x),
                    Operator::Multiply => left * right.values(x),
                    Operator::Divide => left / right.values(x),
                    // The derivative of a general power has the logarithm of the base in it.
                    Operator::Power if right.is_constant() => {
                        let exponent = right.values(&x.zeros_like().slice(0..1)).into_data();
                        left.powf_scalar(exponent.iter::<f64>().next().unwrap_or(f64::NAN))
                    }
                    Operator::Power => left.powf(right.values(x)),
                }
            }
        }
    }

    fn is_constant(&self) -> bool {
        match self {
            Self::Number(_) => true,
            Self::X => false,
            Self::Negative(node) | Self::Call(_, node) => node.is_constant(),
            Self::Binary(_, left, right) => left.is_constant() && right.is_constant(),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next character that is no space.
    fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        trimmed.chars().next()
    }

    fn take(&mut self, wanted: &[char]) -> Option<char> {
        let next = self.peek().filter(|next| wanted.contains(next))?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn unexpected(&mut self, expected: &str) -> String {
        let found = self.peek().map_or("its end".to_owned(), |next| format!("`{next}`"));
        let place = self.text.get(..self.at).unwrap_or_default().chars().count() + 1;
        format!("expected {expected} at character {place}, found {found}")
    }

    fn sum(&mut self) -> Result<Node, String> {
        let mut left = self.product()?;
        while let Some(sign) = self.take(&['+', '-']) {
            let operator = if sign == '+' { Operator::Add } else { Operator::Subtract };
            left = Node::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Node, String> {
        let mut left = self.unary()?;
        while let Some(sign) = self.take(&['*', '/']) {
            let operator = if sign == '*' { Operator::Multiply } else { Operator::Divide };
            left = Node::Binary(operator, Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    /// All nesting comes through here.
    fn unary(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("nested deeper than {DEEPEST} levels"));
        }
        let node = match self.take(&['-', '+']) {
            Some('-') => Node::Negative(Box::new(self.unary()?)),
            Some(_) => self.unary()?,
            None => self.power()?,
        };
        self.depth -= 1;
        Ok(node)
    }

    fn power(&mut self) -> Result<Node, String> {
        let base = self.primary()?;
        if self.take(&['^']).is_none() {
            return Ok(base);
        }
        Ok(Node::Binary(Operator::Power, Box::new(base), Box::new(self.unary()?)))
    }

    fn primary(&mut self) -> Result<Node, String> {
        match self.peek() {
            Some('(') => self.bracketed(),
            Some(next) if next.is_ascii_digit() || next == '.' => self.number(),
            Some(next) if next.is_ascii_alphabetic() => self.name(),
            _ => Err(self.unexpected("a number, x, a function or a bracket")),
        }
    }

    fn bracketed(&mut self) -> Result<Node, String> {
        if self.take(&['(']).is_none() {
            return Err(self.unexpected("`(`"));
        }
        let node = self.sum()?;
        match self.take(&[')']) {
            Some(_) => Ok(node),
            None => Err(self.unexpected("`)`")),
        }
    }

    /// Digits with a point, and an exponent where digits follow the `e`.
    fn number(&mut self) -> Result<Node, String> {
        let rest = self.rest();
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let mut end = digits(rest);
        if rest[end..].starts_with('.') {
            end += 1 + digits(&rest[end + 1..]);
        }
        if let Some(exponent) = rest[end..].strip_prefix(['e', 'E']) {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits(unsigned) > 0 {
                end += 1 + exponent.len() - unsigned.len() + digits(unsigned);
            }
        }
        let text = &rest[..end];
        let value: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
        self.at += end;
        Ok(Node::Number(value))
    }

    fn name(&mut self) -> Result<Node, String> {
        let rest = self.rest();
        let length = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let name = &rest[..length];
        self.at += length;
        match name {
            "x" => return Ok(Node::X),
            "pi" => return Ok(Node::Number(std::f64::consts::PI)),
            "e" => return Ok(Node::Number(std::f64::consts::E)),
            _ => {}
        }
        if let Some(&(_, function)) = FUNCTIONS.iter().find(|(known, _)| *known == name) {
            return Ok(Node::Call(function, Box::new(self.bracketed()?)));
        }
        let known: Vec<&str> = FUNCTIONS.iter().map(|(known, _)| *known).collect();
        Err(format!("no such name: `{name}`; there are x, pi, e, {}", known.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::f64::consts::{E, PI};

    use proptest::prelude::*;

    use super::*;
    use crate::value_and_gradient;

    fn value(text: &str, x: f64) -> f64 {
        values(&Expression::parse(text).unwrap(), &crate::device().unwrap())(&[x])[0]
    }

    #[test]
    fn precedence_is_that_of_mathematics() {
        for (text, expected) in [
            ("1 + 2 * 3", 7.0),
            ("(1 + 2) * 3", 9.0),
            ("2 - 3 - 4", -5.0),
            ("8 / 4 / 2", 1.0),
            ("-x^2", -9.0),
            ("(-x)^2", 9.0),
            ("2^3^2", 512.0),
            ("2^-x", 0.125),
            ("--x", 3.0),
            (" 1e2 + .5 + 2.E-1 ", 100.7),
            ("2*e", 2.0 * E),
            ("exp(-x^2/2) / sqrt(2*pi)", (-4.5_f64).exp() / (2.0 * PI).sqrt()),
            ("sin(x)^2 + cos(x)^2", 1.0),
            ("tanh(x) - sinh(x) / cosh(x)", 0.0),
            ("ln(exp(x)) * abs(-1) + tan(0)", 3.0),
        ] {
            assert!((value(text, 3.0) - expected).abs() < 1e-13, "{text}");
        }
    }

    #[test]
    fn derivatives_are_those_of_the_formula() {
        for (text, derivative) in [
            ("x^3", 12.0),
            ("x^(1/2)", 0.5 / 2_f64.sqrt()),
            ("x^x", 4.0 * (1.0 + 2_f64.ln())),
            ("1/x", -0.25),
            ("exp(-x^2)", -4.0 * (-4_f64).exp()),
        ] {
            let expression = Expression::parse(text).unwrap();
            let gradient = value_and_gradient(|x| expression.values(&x), &[2.0]).unwrap().1;
            assert!((gradient[0] - derivative).abs() < 1e-13, "{text}: {gradient:?}");
        }
        let at_minus_2 =
            value_and_gradient(|x| Expression::parse("x^3").unwrap().values(&x), &[-2.0]);
        assert_eq!(at_minus_2.unwrap(), (-8.0, vec![12.0]));
    }

    #[test]
    fn errors_say_where_and_what() {
        let error = |text: &str| Expression::parse(text).unwrap_err();
        assert_eq!(error("2 * (x + 1"), "expected `)` at character 11, found its end");
        assert_eq!(
            error("2x"),
            "expected an operator (+ - * / ^) or the end at character 2, found `x`"
        );
        assert!(error("sine(x)").starts_with("no such name: `sine`; there are x, pi"));
        assert!(error("exp x").contains("expected `(`"));
        assert!(error("").contains("its end") && error("1.2.3").contains("`.`"));
        assert!(
            error(&"(".repeat(400)).contains("nested")
                && error(&"-".repeat(400)).contains("nested")
        );
        assert!(error(&"1".repeat(501)).contains("longer"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}", similar in "[x0-9.+*/^()e insqrtlp-]{0,600}") {
            for text in [text, similar] {
                if let Ok(expression) = Expression::parse(&text) {
                    let _ = values(&expression, &crate::device().unwrap())(&[0.5]);
                }
            }
        }
    }
}
