//! Three-valued conditions over what was stated: true, false, or unknown since it was not asked.
//!
//! Kleene's strong logic: an unknown part leaves the whole unknown unless the other parts decide it. Two forms are added for rules
//! of safety: `x?` counts as met while unknown, and `x UNLESS y` is excluded only by a `y` that is known to hold. What implies an
//! atom stands beside it and can only make it hold: no statement to the contrary silences it.

use std::fmt;

use winnow::ascii::{alpha1, digit1, multispace0};
use winnow::combinator::{alt, cut_err, delimited, eof, opt, preceded, separated, terminated};
use winnow::error::ContextError;
use winnow::token::{literal, take_while};
use winnow::{ModalResult, Parser};

/// A condition over atoms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression<A> {
    /// An atom.
    Is(A),
    /// All hold.
    All(Vec<Self>),
    /// One or more hold.
    Any(Vec<Self>),
    /// At least so many hold.
    AtLeast(usize, Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// Counts as met while unknown.
    Presumed(Box<Self>),
    /// The first, but for the case that the second is known to hold.
    Unless(Box<Self>, Box<Self>),
    /// An atom, which also holds where something is known to hold that implies it.
    Implied(A, Box<Self>),
}

impl<A> Expression<A> {
    /// Whether it holds; `None` while that is unknown.
    pub fn value(&self, of: &impl Fn(&A) -> Option<bool>) -> Option<bool> {
        match self {
            Self::Is(atom) => of(atom),
            Self::All(parts) => at_least(parts.len(), parts, of),
            Self::Any(parts) => at_least(1, parts, of),
            Self::AtLeast(count, parts) => at_least(*count, parts, of),
            Self::Not(part) => part.value(of).map(|holds| !holds),
            Self::Presumed(part) => Some(part.value(of).unwrap_or(true)),
            Self::Unless(part, exclusion) => {
                if exclusion.value(of) == Some(true) {
                    Some(false)
                } else {
                    part.value(of)
                }
            }
            Self::Implied(atom, by) => match by.value(of) {
                Some(true) => Some(true),
                _ => of(atom),
            },
        }
    }

    /// The atoms known to hold that make it hold; none when it does not.
    pub fn reasons<'a>(&'a self, of: &impl Fn(&A) -> Option<bool>) -> Vec<&'a A> {
        if self.value(of) != Some(true) {
            return Vec::new();
        }
        match self {
            Self::Is(atom) => vec![atom],
            Self::All(parts) | Self::Any(parts) | Self::AtLeast(_, parts) => {
                parts.iter().flat_map(|part| part.reasons(of)).collect()
            }
            Self::Not(_) => Vec::new(),
            Self::Presumed(part) | Self::Unless(part, _) => part.reasons(of),
            Self::Implied(atom, _) if of(atom) == Some(true) => vec![atom],
            Self::Implied(_, by) => by.reasons(of),
        }
    }

    /// The atoms known to hold that go some way towards making it hold.
    pub fn grounds<'a>(&'a self, of: &impl Fn(&A) -> Option<bool>) -> Vec<&'a A> {
        match self {
            Self::Is(_) | Self::Implied(..) => self.reasons(of),
            Self::All(parts) | Self::Any(parts) | Self::AtLeast(_, parts) => {
                parts.iter().flat_map(|part| part.grounds(of)).collect()
            }
            Self::Not(_) => Vec::new(),
            Self::Presumed(part) | Self::Unless(part, _) => part.grounds(of),
        }
    }

    /// The unknown atoms that could still change whether it holds.
    pub fn unasked<'a>(&'a self, of: &impl Fn(&A) -> Option<bool>) -> Vec<&'a A> {
        match self {
            Self::Is(atom) | Self::Implied(atom, _) => {
                self.value(of).is_none().then_some(atom).into_iter().collect()
            }
            Self::All(parts) => unasked_among(parts, Some(false), of),
            Self::Any(parts) => unasked_among(parts, Some(true), of),
            Self::AtLeast(..) if self.value(of).is_some() => Vec::new(),
            Self::AtLeast(_, parts) => unasked_among(parts, None, of),
            Self::Not(part) | Self::Presumed(part) => part.unasked(of),
            Self::Unless(part, exclusion) => {
                let excluded = exclusion.value(of) == Some(true);
                let own = if excluded { Vec::new() } else { part.unasked(of) };
                if excluded || part.value(of) == Some(false) {
                    return own;
                }
                own.into_iter().chain(exclusion.unasked(of)).collect()
            }
        }
    }

    /// Every atom, in the order it is written.
    pub fn atoms(&self) -> Vec<&A> {
        match self {
            Self::Is(atom) => vec![atom],
            Self::All(parts) | Self::Any(parts) | Self::AtLeast(_, parts) => {
                parts.iter().flat_map(Self::atoms).collect()
            }
            Self::Not(part) | Self::Presumed(part) => part.atoms(),
            Self::Unless(part, exclusion) => [part.atoms(), exclusion.atoms()].concat(),
            Self::Implied(atom, by) => [vec![atom], by.atoms()].concat(),
        }
    }

    /// The same with each atom replaced.
    ///
    /// # Errors
    /// The first atom that has no counterpart.
    pub fn try_replace<B, E>(
        self,
        with: &mut impl FnMut(A) -> Result<Expression<B>, E>,
    ) -> Result<Expression<B>, E> {
        let all = |parts: Vec<Self>, with: &mut _| {
            parts.into_iter().map(|part| part.try_replace(with)).collect::<Result<Vec<_>, E>>()
        };
        Ok(match self {
            Self::Is(atom) => with(atom)?,
            Self::All(parts) => Expression::All(all(parts, with)?),
            Self::Any(parts) => Expression::Any(all(parts, with)?),
            Self::AtLeast(count, parts) => Expression::AtLeast(count, all(parts, with)?),
            Self::Not(part) => Expression::Not(Box::new(part.try_replace(with)?)),
            Self::Presumed(part) => Expression::Presumed(Box::new(part.try_replace(with)?)),
            Self::Unless(part, exclusion) => Expression::Unless(
                Box::new(part.try_replace(with)?),
                Box::new(exclusion.try_replace(with)?),
            ),
            Self::Implied(atom, by) => Expression::Any(vec![with(atom)?, by.try_replace(with)?]),
        })
    }
}

/// The unknown atoms of parts of which one that has the deciding value, and can no longer change, decides.
fn unasked_among<'a, A>(
    parts: &'a [Expression<A>],
    deciding: Option<bool>,
    of: &impl Fn(&A) -> Option<bool>,
) -> Vec<&'a A> {
    // What is presumed is not settled by it.
    let decides = |part: &Expression<A>| {
        deciding.is_some() && part.value(of) == deciding && part.unasked(of).is_empty()
    };
    if parts.iter().any(decides) {
        return Vec::new();
    }
    parts.iter().flat_map(|part| part.unasked(of)).collect()
}

fn at_least<A>(
    count: usize,
    parts: &[Expression<A>],
    of: &impl Fn(&A) -> Option<bool>,
) -> Option<bool> {
    let (mut held, mut possible) = (0, 0);
    for part in parts {
        let value = part.value(of);
        held += usize::from(value == Some(true));
        possible += usize::from(value != Some(false));
    }
    if held >= count {
        Some(true)
    } else if possible < count {
        Some(false)
    } else {
        None
    }
}

/// An atom as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// An id, and the side after an `@`.
    Id(String, Option<String>),
    /// `age`, an operator and a number of years.
    Age(Comparison, u32),
    /// `sex =` and a word.
    Sex(String),
}

/// A comparison with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Below it.
    Below,
    /// At it or below.
    AtMost,
    /// Above it.
    Above,
    /// At it or above.
    AtLeast,
}

impl Comparison {
    /// Whether a value compares so with a limit.
    #[must_use]
    pub const fn holds(self, value: u32, limit: u32) -> bool {
        match self {
            Self::Below => value < limit,
            Self::AtMost => value <= limit,
            Self::Above => value > limit,
            Self::AtLeast => value >= limit,
        }
    }
}

/// A text is no expression; says where it stops being one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoExpression(String);

impl fmt::Display for NoExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not understood from `{}` on", self.0)
    }
}

/// Reads `a AND (b OR NOT c) UNLESS d`, `2 OF (a, b, c)`, `age >= 60`, `sex = male`, `id@left`, `id?`. NOT binds closest, then
/// AND, OR, UNLESS.
///
/// # Errors
/// [`NoExpression`] when the text is none.
pub(super) fn parse(text: &str) -> Result<Expression<Name>, NoExpression> {
    let whole = delimited(multispace0, exclusion, eof).parse(text);
    whole.map_err(|error| NoExpression(text.get(error.offset()..).unwrap_or_default().to_owned()))
}

type Read<T> = ModalResult<T, ContextError>;

fn exclusion(input: &mut &str) -> Read<Expression<Name>> {
    let (part, excluded) = (or, opt(preceded(word("UNLESS"), cut_err(or)))).parse_next(input)?;
    Ok(match excluded {
        Some(excluded) => Expression::Unless(Box::new(part), Box::new(excluded)),
        None => part,
    })
}

fn or(input: &mut &str) -> Read<Expression<Name>> {
    let parts: Vec<_> = separated(1.., and, word("OR")).parse_next(input)?;
    Ok(joined(parts, Expression::Any))
}

fn and(input: &mut &str) -> Read<Expression<Name>> {
    let parts: Vec<_> = separated(1.., negation, word("AND")).parse_next(input)?;
    Ok(joined(parts, Expression::All))
}

fn joined(
    mut parts: Vec<Expression<Name>>,
    join: fn(Vec<Expression<Name>>) -> Expression<Name>,
) -> Expression<Name> {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => join(parts.into_iter().chain(last).collect()),
    }
}

fn negation(input: &mut &str) -> Read<Expression<Name>> {
    let negated = preceded(word("NOT"), negation).map(|part| Expression::Not(Box::new(part)));
    alt((negated, presumable)).parse_next(input)
}

fn presumable(input: &mut &str) -> Read<Expression<Name>> {
    let (part, presumed) = (primary, opt(sign("?"))).parse_next(input)?;
    Ok(if presumed.is_some() { Expression::Presumed(Box::new(part)) } else { part })
}

fn primary(input: &mut &str) -> Read<Expression<Name>> {
    let bracketed = delimited(sign("("), exclusion, sign(")"));
    let list = delimited(sign("("), separated(1.., or, sign(",")), sign(")"));
    let counted = (terminated(number, word("OF")), list)
        .map(|(count, parts): (u32, Vec<_>)| Expression::AtLeast(count as usize, parts));
    alt((bracketed, counted, age, sex, id)).parse_next(input)
}

fn age(input: &mut &str) -> Read<Expression<Name>> {
    let comparison = alt((
        sign("<=").value(Comparison::AtMost),
        sign("<").value(Comparison::Below),
        sign(">=").value(Comparison::AtLeast),
        sign(">").value(Comparison::Above),
    ));
    let age = preceded(word("age"), (comparison, number));
    age.map(|(how, years)| Expression::Is(Name::Age(how, years))).parse_next(input)
}

fn sex(input: &mut &str) -> Read<Expression<Name>> {
    let sex = preceded((word("sex"), sign("=")), terminated(alpha1, multispace0));
    sex.map(|sex: &str| Expression::Is(Name::Sex(sex.to_owned()))).parse_next(input)
}

fn id(input: &mut &str) -> Read<Expression<Name>> {
    let plain = take_while(1.., ('a'..='z', '0'..='9', '_'));
    let side = opt(preceded(literal("@"), cut_err(alpha1)));
    let (id, side): (&str, Option<&str>) =
        terminated((plain, side), multispace0).parse_next(input)?;
    Ok(Expression::Is(Name::Id(id.to_owned(), side.map(str::to_owned))))
}

fn number(input: &mut &str) -> Read<u32> {
    terminated(digit1, multispace0).try_map(str::parse).parse_next(input)
}

/// A word of the language, which ends where its letters end.
fn word<'i>(
    word: &'static str,
) -> impl Parser<&'i str, &'i str, winnow::error::ErrMode<ContextError>> {
    let letters = take_while(1.., |c: char| c.is_ascii_alphanumeric() || c == '_');
    terminated(letters.verify(move |letters: &str| letters == word), multispace0)
}

fn sign<'i>(
    sign: &'static str,
) -> impl Parser<&'i str, &'i str, winnow::error::ErrMode<ContextError>> {
    terminated(literal(sign), multispace0)
}
