//! From the files' entries to [`Rules`]: reads conditions, resolves ids, reports every fault.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use toml::Spanned;

use super::expression::{self, Expression, Name};
use super::instrument::{Accuracy, Band, Instrument, Item, Level, Reading};
use super::raw::{self, Document};
use super::red_flag::{Question, RedFlag};
use super::{Atom, Condition, Contradiction, Implication, Remark, Rules, Separator};
use crate::domain::{Notice, Sex, Side};
use crate::knowledge::{self, Faults, File, KnowledgeBase, Located, Report, Subject, Term};

/// Reads, checks and compiles a knowledge base with its rules. Files without rules give rules that say nothing.
///
/// # Errors
/// Every fault of syntax, shape and meaning, with its file and line.
pub fn load(files: &[File]) -> Result<Rules, Faults> {
    let mut report = Report::new(files);
    let base = knowledge::compile(files, &mut report);
    let document = raw::read(files, &mut report);
    let rules = base.map(|base| {
        let (ids, implications) = (BTreeSet::new(), Vec::new());
        Compiler { base: Arc::new(base), report: &mut report, ids, implications }.compile(&document)
    });
    match rules {
        Some(rules) if report.is_clean() => Ok(rules),
        _ => Err(report.into_faults()),
    }
}

/// A text and where it stands.
type Text = Spanned<String>;

struct Compiler<'r, 'f> {
    base: Arc<KnowledgeBase>,
    report: &'r mut Report<'f>,
    /// Ids seen, each with what it names.
    ids: BTreeSet<(&'static str, String)>,
    /// Read so far; each may rest on those before it.
    implications: Vec<Implication>,
}

impl Compiler<'_, '_> {
    fn compile(mut self, document: &Document) -> Rules {
        for located in &document.implications {
            let implication = self.implication(located);
            self.implications.extend(implication);
        }
        let red_flags = self.red_flags(&document.red_flags);
        let questions = self.each(&document.questions, Self::question);
        let instruments = self.each(&document.instruments, Self::instrument);
        let contradictions = self.each(&document.contradictions, Self::contradiction);
        let remarks = self.each(&document.notices, Self::remark);
        let separators = self.each(&document.separators, Self::separator);
        let (knowledge, implications) = (self.base, self.implications);
        Rules {
            knowledge,
            implications,
            red_flags,
            questions,
            instruments,
            contradictions,
            remarks,
            separators,
        }
    }

    fn each<T, U>(
        &mut self,
        entries: &[Located<T>],
        one: fn(&mut Self, &Located<T>) -> Option<U>,
    ) -> Vec<U> {
        entries.iter().filter_map(|located| one(self, located)).collect()
    }

    fn fault<T>(&mut self, file: usize, at: &Spanned<T>, reason: &str) {
        self.report.at(file, at.span().start, reason.to_owned());
    }

    /// An id that names one of its kind.
    fn id(&mut self, file: usize, kind: &'static str, id: &Text) -> String {
        let name = id.get_ref();
        if !knowledge::is_plain_id(name) || !self.ids.insert((kind, name.clone())) {
            self.fault(file, id, &format!("`{name}` stands twice or has other than a-z, 0-9, _"));
        }
        name.clone()
    }

    fn source(&mut self, file: usize, id: &Text) -> Option<usize> {
        let found = self.base.sources.binary_search_by(|source| source.id.cmp(id.get_ref())).ok();
        if found.is_none() {
            self.fault(file, id, &format!("no source has the id `{}`", id.get_ref()));
        }
        found
    }

    /// A condition, which may name the flags that stand before it.
    fn condition(&mut self, file: usize, text: &Text, flags: &[RedFlag]) -> Option<Condition> {
        let read = expression::parse(text.get_ref()).map_err(|error| error.to_string());
        let mut atom = |name| atom(&self.base, flags, name).map(Expression::Is);
        let compiled = read.and_then(|read| read.try_replace(&mut atom));
        let text_of = |expression| Condition { text: text.get_ref().clone(), expression };
        compiled.map_err(|reason| self.fault(file, text, &reason)).ok().map(text_of)
    }

    /// A condition in which what implies a finding counts as well.
    fn wide_condition(&mut self, file: usize, text: &Text, flags: &[RedFlag]) -> Option<Condition> {
        let Condition { text, expression } = self.condition(file, text, flags)?;
        let widened = expression.try_replace(&mut |atom| Ok::<_, Infallible>(self.widened(atom)));
        let Ok(expression) = widened;
        Some(Condition { text, expression })
    }

    fn widened(&self, atom: Atom) -> Expression<Atom> {
        let implies = |rule: &&Implication| atom == Atom::Present(rule.means, None);
        let by = self.implications.iter().filter(implies);
        let by: Vec<_> = by.map(|rule| rule.when.expression.clone()).collect();
        if by.is_empty() {
            return Expression::Is(atom);
        }
        Expression::Implied(atom, Box::new(Expression::Any(by)))
    }

    fn implication(&mut self, located: &Located<raw::Implication>) -> Option<Implication> {
        let Located { file, entry, .. } = located;
        let when = self.wide_condition(*file, &entry.when, &[])?;
        let Some(Term::YesNo(means)) = self.base.terms.get(entry.means.get_ref()).cloned() else {
            self.fault(*file, &entry.means, "no finding or risk factor has this id");
            return None;
        };
        Some(Implication { when, means, note: entry.note.clone() })
    }

    /// The most urgent first: a flag gives way only to more urgent ones, or to one written before it.
    fn red_flags(&mut self, raw: &[Located<raw::RedFlag>]) -> Vec<RedFlag> {
        let mut ordered: Vec<&Located<raw::RedFlag>> = raw.iter().collect();
        ordered.sort_by_key(|located| located.entry.urgency);
        let mut flags = Vec::new();
        for Located { file, entry, .. } in ordered {
            let trigger = self.wide_condition(*file, &entry.trigger, &flags);
            let source = self.source(*file, &entry.source);
            let id = self.id(*file, "red flag", &entry.id);
            let Some((trigger, source)) = trigger.zip(source) else { continue };
            flags.push(RedFlag {
                id,
                label: entry.label.clone(),
                trigger,
                urgency: entry.urgency,
                action: entry.action.clone(),
                source,
                checked: entry.checked.id(),
                note: entry.note.clone(),
            });
        }
        flags
    }

    fn question(&mut self, located: &Located<raw::Question>) -> Option<Question> {
        let Located { file, entry, .. } = located;
        let id = self.id(*file, "question", &entry.id);
        let answered = self.wide_condition(*file, &entry.answered, &[])?;
        let signs = entry.signs.as_ref().map(|signs| self.wide_condition(*file, signs, &[]));
        Some(Question { id, ask: entry.ask.clone(), answered, signs: signs.flatten() })
    }

    fn contradiction(&mut self, located: &Located<raw::Contradiction>) -> Option<Contradiction> {
        let Located { file, entry, .. } = located;
        let when = self.condition(*file, &entry.when, &[])?;
        Some(Contradiction { when, remedy: entry.remedy.clone() })
    }

    fn remark(&mut self, located: &Located<raw::Remark>) -> Option<Remark> {
        let Located { file, entry, .. } = located;
        let when = self.wide_condition(*file, &entry.when, &[])?;
        Some(Remark { when, notice: Notice::new(&entry.code, &entry.message) })
    }

    fn separator(&mut self, located: &Located<raw::Separator>) -> Option<Separator> {
        let Located { file, entry, .. } = located;
        let when = self.wide_condition(*file, &entry.when, &[])?;
        let source = entry.source.as_ref().and_then(|id| self.source(*file, id));
        let mut ask = Vec::new();
        for id in &entry.ask {
            match self.base.terms.get(id.get_ref()) {
                Some(Term::YesNo(Subject::Finding(finding))) => ask.push(*finding),
                _ => self.fault(*file, id, &format!("no finding has the id `{}`", id.get_ref())),
            }
        }
        Some(Separator { when, ask, reason: entry.reason.clone(), source })
    }

    fn instrument(&mut self, located: &Located<raw::Instrument>) -> Option<Instrument> {
        let Located { file, entry, .. } = located;
        let id = self.id(*file, "instrument", &entry.id);
        let targets = entry.targets.iter().filter_map(|id| self.target(*file, id)).collect();
        let optional = |this: &mut Self, text: &Option<Spanned<String>>| {
            text.as_ref().and_then(|text| this.condition(*file, text, &[]))
        };
        let (applies, validated) =
            (optional(self, &entry.applies), optional(self, &entry.validated));
        if let Some(pretest) = &entry.pretest
            && !(0.0 < *pretest.get_ref() && *pretest.get_ref() < 1.0)
        {
            self.fault(*file, pretest, "`pretest` lies strictly between 0 and 1");
        }
        let items: Vec<Item> =
            entry.items.iter().filter_map(|item| self.item(*file, item)).collect();
        let readings: Vec<Reading> = entry
            .readings
            .iter()
            .filter_map(|reading| self.reading(*file, entry, reading))
            .collect();
        if readings.is_empty() || items.len() < entry.items.len() {
            self.fault(*file, &entry.id, "an instrument needs sound items and a reading");
        }
        Some(Instrument {
            id,
            label: entry.label.clone(),
            targets,
            items,
            readings,
            pretest: entry.pretest.as_ref().map(|pretest| *pretest.get_ref()),
            applies,
            validated,
            accuracy: entry.accuracy.iter().map(accuracy).collect(),
            cautions: entry.cautions.clone(),
            licence_note: entry.licence_note.clone(),
            source: self.source(*file, &entry.source)?,
        })
    }

    fn target(&mut self, file: usize, id: &Text) -> Option<usize> {
        let found = self.base.conditions.iter().position(|condition| condition.id == *id.get_ref());
        if found.is_none() {
            self.fault(file, id, &format!("no condition has the id `{}`", id.get_ref()));
        }
        found
    }

    fn item(&mut self, file: usize, item: &raw::Item) -> Option<Item> {
        let mut level = |level: &raw::Level| {
            Some(Level { when: self.condition(file, &level.when, &[])?, points: level.points })
        };
        let levels: Vec<Option<Level>> = item.levels.iter().map(&mut level).collect();
        Some(Item {
            id: item.id.get_ref().clone(),
            definition: item.definition.clone(),
            levels: levels.into_iter().collect::<Option<_>>()?,
            otherwise: item.otherwise,
        })
    }

    fn reading(
        &mut self,
        file: usize,
        instrument: &raw::Instrument,
        raw: &raw::Reading,
    ) -> Option<Reading> {
        let mut position = |id: &Text| {
            let found = instrument.items.iter().position(|item| item.id.get_ref() == id.get_ref());
            if found.is_none() {
                self.fault(file, id, "no item of this instrument has this id");
            }
            found
        };
        let mut items = raw.items.iter().map(&mut position).collect::<Option<Vec<_>>>()?;
        if items.is_empty() {
            items = (0..instrument.items.len()).collect();
        }
        let band = |band: &raw::Band| Band {
            from: band.from.unwrap_or(f64::NEG_INFINITY),
            verdict: band.verdict.clone(),
        };
        let bands: Vec<Band> = raw.bands.get_ref().iter().map(band).collect();
        let falls = bands.is_sorted_by(|above, below| above.from > below.from);
        if !falls || bands.last().is_none_or(|lowest| lowest.from.is_finite()) {
            self.fault(
                file,
                &raw.bands,
                "bands stand the highest first, the lowest without `from`",
            );
        }
        Some(Reading { id: raw.id.get_ref().clone(), items, bands })
    }
}

fn accuracy(raw: &raw::Accuracy) -> Accuracy {
    Accuracy {
        of: raw.of.clone(),
        figures: raw.figures.clone(),
        population: raw.population.clone(),
        checked: raw.checked.id().to_owned(),
    }
}

/// What a name stands for.
fn atom(base: &KnowledgeBase, flags: &[RedFlag], name: Name) -> Result<Atom, String> {
    match name {
        Name::Age(comparison, years) => Ok(Atom::Age(comparison, years)),
        Name::Sex(sex) => match sex.as_str() {
            "female" => Ok(Atom::Sex(Sex::Female)),
            "male" => Ok(Atom::Sex(Sex::Male)),
            _ => Err("a sex is `female` or `male`".to_owned()),
        },
        Name::Id(id, side) => {
            let side = match side.as_deref() {
                None => None,
                Some("left") => Some(Side::Left),
                Some("right") => Some(Side::Right),
                Some(_) => return Err("a side is `left` or `right`".to_owned()),
            };
            let flag = flags.iter().position(|flag| flag.id == id).map(Atom::Fired);
            match (base.terms.get(&id), flag) {
                (Some(Term::YesNo(subject)), _) => Ok(Atom::Present(*subject, side)),
                (_, Some(flag)) => Ok(flag),
                _ => Err(format!("no finding, risk factor or earlier red flag has the id `{id}`")),
            }
        }
    }
}
