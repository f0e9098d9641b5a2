//! The exported network, read as another tool would read it, and the weight of every set of conditions.

use heel_origin::domain::{AgeYears, Case, Origin};
use heel_origin::engine::Model;
use serde_json::Value;

/// The shipped model, calibrated once.
pub(crate) fn model() -> &'static Model {
    &crate::support::MODEL
}

pub(crate) fn expit(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// The exported network.
pub(crate) struct Network {
    export: Value,
    pub(crate) origins: Vec<usize>,
    pub(crate) links: Vec<f64>,
    pub(crate) findings: Vec<Value>,
    pub(crate) risk_factors: Vec<Value>,
    conditions: Vec<String>,
    silent: Vec<f64>,
}

impl Network {
    pub(crate) fn new(export: &Value) -> Self {
        let conditions = export["conditions"].as_array().unwrap();
        let origin = |id: &str| Origin::ALL.iter().position(|origin| origin.id() == id).unwrap();
        let links: Vec<f64> =
            conditions.iter().map(|c| c["heel_pain_link"].as_f64().unwrap()).collect();
        let silent = |set: usize| -> f64 {
            let members = links.iter().enumerate().filter(|(c, _)| set >> c & 1 == 1);
            members.map(|(_, link)| 1.0 - link).product()
        };
        Self {
            origins: conditions.iter().map(|c| origin(c["origin"].as_str().unwrap())).collect(),
            findings: export["findings"].as_array().unwrap().clone(),
            risk_factors: export["risk_factors"].as_array().unwrap().clone(),
            conditions: conditions.iter().map(|c| c["id"].as_str().unwrap().to_owned()).collect(),
            silent: (0..1 << links.len()).map(silent).collect(),
            export: export.clone(),
            links,
        }
    }

    pub(crate) fn index(&self, id: &Value) -> usize {
        self.conditions
            .iter()
            .position(|condition| Some(condition.as_str()) == id.as_str())
            .unwrap()
    }

    pub(crate) fn sets(&self) -> usize {
        1 << self.links.len()
    }

    /// Chance that no member of a set is felt at the heel.
    pub(crate) fn silent(&self, set: usize) -> f64 {
        self.silent[set]
    }

    pub(crate) fn members_of(&self, origin: Origin) -> usize {
        let own = self.origins.iter().enumerate().filter(|(_, other)| **other == origin.index());
        own.fold(0, |members, (condition, _)| members | 1 << condition)
    }

    /// Origins present in a set, as bits.
    pub(crate) fn pattern(&self, set: usize) -> usize {
        let held = self.origins.iter().enumerate().filter(|(c, _)| set >> c & 1 == 1);
        held.fold(0, |pattern, (_, origin)| pattern | 1 << origin)
    }

    pub(crate) fn solution(&self, setting: usize, complaint: &str) -> &Value {
        &self.export["settings"][setting][complaint]
    }

    /// The probability of every set, `complaint` being the chance of what is known of heel pain.
    pub(crate) fn posterior(
        &self,
        case: &Case,
        solution: &str,
        complaint: impl Fn(usize) -> f64,
    ) -> Vec<f64> {
        let solution = self.solution(case.setting, solution);
        let base = solution["base_log_odds"].as_array().unwrap();
        let mut weights =
            spread(1.0, &base.iter().map(|odds| odds.as_f64().unwrap().exp()).collect::<Vec<_>>());
        let associations = self.export["associations"].as_array().unwrap();
        let pairs =
            associations.iter().zip(solution["association_log_factors"].as_array().unwrap());
        let pairs: Vec<(usize, f64)> = pairs
            .map(|(pair, log)| {
                let both = 1 << self.index(&pair["condition"]) | 1 << self.index(&pair["given"]);
                (both, log.as_f64().unwrap().exp())
            })
            .collect();
        let several = solution["coexistence_log_factor"].as_f64().unwrap().exp();
        for (set, weight) in weights.iter_mut().enumerate() {
            *weight *= complaint(set);
            *weight *= pairs
                .iter()
                .filter(|(both, _)| set & both == *both)
                .map(|(_, f)| f)
                .product::<f64>();
            if self.pattern(set).count_ones() >= 2 {
                *weight *= several;
            }
        }
        self.expose(case, &mut weights);
        self.observe(case, &mut weights);
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / total).collect()
    }

    fn expose(&self, case: &Case, weights: &mut [f64]) {
        for exposure in &case.exposures {
            let factor = &self.risk_factors[exposure.risk_factor];
            let phi = factor["prevalence"].as_f64().unwrap();
            let mut shift = vec![1.0; self.links.len()];
            for effect in factor["effects"].as_array().unwrap() {
                let odds_ratio = effect["odds_ratio"].as_f64().unwrap();
                let own = if exposure.present { odds_ratio } else { 1.0 };
                shift[self.index(&effect["condition"])] = own / (1.0 + phi * (odds_ratio - 1.0));
            }
            for (weight, shift) in weights.iter_mut().zip(spread(1.0, &shift)) {
                *weight *= shift;
            }
        }
    }

    fn observe(&self, case: &Case, weights: &mut [f64]) {
        self.grade(case, weights);
        for observation in &case.observations {
            if self.is_graded(observation.finding) {
                continue;
            }
            let powers = self.powers(case, observation.finding);
            let (leak, links) = self.parameters(observation.finding, case.age);
            let inhibition: Vec<f64> = links
                .iter()
                .map(|link| if *link > leak { (1.0 - link) / (1.0 - leak) } else { 1.0 })
                .collect();
            if !observation.present {
                let powered: Vec<f64> =
                    inhibition.iter().zip(&powers).map(|(i, power)| i.powf(*power)).collect();
                for (weight, ratio) in weights.iter_mut().zip(spread(1.0, &powered)) {
                    *weight *= ratio;
                }
                continue;
            }
            let strongest = strongest(leak, &links);
            for (set, (weight, absent)) in
                weights.iter_mut().zip(spread(1.0 - leak, &inhibition)).enumerate()
            {
                let ratio = (1.0 - absent) / leak;
                let power = strongest[set].map_or(0.0, |condition| powers[condition]);
                *weight *= if power < 1.0 { ratio.powf(power) } else { ratio };
            }
        }
    }

    /// Whether a finding is a composite or a part of one.
    fn is_graded(&self, finding: usize) -> bool {
        let names = |composite: &Value| composite["parts"].to_string();
        let id = format!("{}", self.findings[finding]["id"]);
        names(&self.findings[finding]) != "[]"
            || self.findings.iter().any(|composite| names(composite).contains(&id))
    }

    /// What the parts of each composite say: every way to answer the parts that were not asked is gone through, and the grades
    /// that come up are added.
    fn grade(&self, case: &Case, weights: &mut [f64]) {
        let sent = |id: &Value| {
            let found = case.observations.iter().find(|o| self.findings[o.finding]["id"] == *id);
            found.map(|observation| observation.present)
        };
        for composite in &self.findings {
            let parts = composite["parts"].as_array().unwrap();
            let thresholds: Vec<u64> = composite["leaks"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|leak| leak["at_least"].as_u64())
                .collect();
            if parts.is_empty() {
                continue;
            }
            let grade = |count: usize| thresholds.iter().filter(|&&k| k as usize <= count).count();
            let mut grades = vec![false; thresholds.len() + 1];
            for answers in 0..1usize << parts.len() {
                let fits = |(part, ids): (usize, &Value)| {
                    let said: Vec<bool> =
                        ids.as_array().unwrap().iter().filter_map(&sent).collect();
                    said.is_empty() || said.iter().all(|yes| *yes) == (answers >> part & 1 == 1)
                };
                let grade = grade(answers.count_ones() as usize);
                let whole = sent(&composite["id"]).is_none_or(|yes| yes == (grade > 0));
                grades[grade] |= whole && parts.iter().enumerate().all(fits);
            }
            self.weigh_grades(composite, &grades, weights);
        }
    }

    fn weigh_grades(&self, composite: &Value, grades: &[bool], weights: &mut [f64]) {
        if grades.iter().all(|possible| *possible) || !grades.iter().any(|possible| *possible) {
            return;
        }
        let of = |rates: Vec<f64>| -> f64 {
            let reached: Vec<f64> = [1.0].into_iter().chain(rates).chain([0.0]).collect();
            let exactly = reached.windows(2).map(|pair| pair[0] - pair[1]);
            exactly.zip(grades).filter(|(_, possible)| **possible).map(|(p, _)| p).sum()
        };
        let rates = |entries: &[Value], name: &str| -> Vec<f64> {
            entries.iter().map(|entry| entry[name].as_f64().unwrap()).collect()
        };
        let links = composite["links"].as_array().unwrap();
        let leak = of(rates(composite["leaks"].as_array().unwrap(), "rate"));
        let condition = self.index(&links[0]["condition"]);
        assert!(links.iter().all(|link| self.index(&link["condition"]) == condition));
        let ratio = of(rates(links, "sensitivity")) / leak;
        for (set, weight) in weights.iter_mut().enumerate() {
            if set >> condition & 1 == 1 {
                *weight *= ratio;
            }
        }
    }

    /// Chance that a finding is absent in a set.
    pub(crate) fn absent(&self, finding: usize, set: usize, age: Option<AgeYears>) -> f64 {
        let (leak, links) = self.parameters(finding, age);
        let causes =
            links.iter().enumerate().filter(|(c, link)| set >> c & 1 == 1 && **link > leak);
        causes.fold(1.0 - leak, |absent, (_, link)| absent * (1.0 - link) / (1.0 - leak))
    }

    /// The leak of a finding and its sensitivity for each condition, 0 where there is no link. A finding that tells nothing
    /// is as likely as not in everybody.
    fn parameters(&self, finding: usize, age: Option<AgeYears>) -> (f64, Vec<f64>) {
        let finding = &self.findings[finding];
        let leaks = finding["leaks"].as_array().unwrap();
        let leak = in_band(leaks, age).map_or(0.5, |leak| leak["rate"].as_f64().unwrap());
        let links = finding["links"].as_array().unwrap();
        let sensitivity = |condition: &String| {
            let own: Vec<Value> = links
                .iter()
                .filter(|link| link["condition"].as_str() == Some(condition))
                .cloned()
                .collect();
            in_band(&own, age).map_or(0.0, |link| link["sensitivity"].as_f64().unwrap())
        };
        (leak, self.conditions.iter().map(sensitivity).collect())
    }

    /// Dependence weight of an observed finding for each condition: among the observed members of its cluster that link the
    /// condition with the same result, by falling size of the log likelihood ratio, the j-th counts K(j) - K(j - 1), K(j) = j / (1 + (j - 1) rho).
    fn powers(&self, case: &Case, finding: usize) -> Vec<f64> {
        let Some(cluster) = self.findings[finding]["cluster"].as_str() else {
            return vec![1.0; self.links.len()];
        };
        let clusters = self.export["clusters"].as_array().unwrap();
        let rho = clusters.iter().find(|c| c["id"].as_str() == Some(cluster)).unwrap()["rho"]
            .as_f64()
            .unwrap();
        let members = case
            .observations
            .iter()
            .filter(|other| self.findings[other.finding]["cluster"].as_str() == Some(cluster));
        let mut before = vec![0.0; self.links.len()];
        let own =
            case.observations.iter().find(|observation| observation.finding == finding).unwrap();
        let own_strength = self.strengths(own, case.age);
        for other in
            members.filter(|other| other.finding != finding && other.present == own.present)
        {
            for (condition, strength) in self.strengths(other, case.age).into_iter().enumerate() {
                let earlier = other.finding < finding && strength >= own_strength[condition];
                if strength > 0.0 && (strength > own_strength[condition] || earlier) {
                    before[condition] += 1.0;
                }
            }
        }
        let effective =
            |count: f64| if count > 0.0 { count / (1.0 + (count - 1.0) * rho) } else { 0.0 };
        before.into_iter().map(|before| effective(before + 1.0) - effective(before)).collect()
    }

    /// Size of the log likelihood ratio of what was observed for each condition alone; 0 where there is no link.
    fn strengths(
        &self,
        observation: &heel_origin::domain::Observation,
        age: Option<AgeYears>,
    ) -> Vec<f64> {
        let (leak, links) = self.parameters(observation.finding, age);
        let ratio = |link: &f64| {
            let ratio = if observation.present { link / leak } else { (1.0 - link) / (1.0 - leak) };
            if *link > leak { ratio.ln().abs() } else { 0.0 }
        };
        links.iter().map(ratio).collect()
    }
}

/// For every set the most sensitive of its members that are linked above the leak.
fn strongest(leak: f64, links: &[f64]) -> Vec<Option<usize>> {
    let mut strongest: Vec<Option<usize>> = vec![None];
    for (condition, link) in links.iter().enumerate() {
        let with = |before: &Option<usize>| match before {
            _ if *link <= leak => *before,
            Some(other) if links[*other] >= *link => Some(*other),
            _ => Some(condition),
        };
        let with: Vec<Option<usize>> = strongest.iter().map(with).collect();
        strongest.extend(with);
    }
    strongest
}

/// The entry whose age band holds the age, else the first.
fn in_band(entries: &[Value], age: Option<AgeYears>) -> Option<&Value> {
    let holds = |entry: &&Value| {
        let (Some(age), Some(band)) = (age, entry["age"].as_array()) else { return false };
        let end = |position: usize| band[position].as_u64().unwrap();
        (end(0)..=end(1)).contains(&u64::from(age.get()))
    };
    entries.iter().find(holds).or(entries.first())
}

/// For every set `start` times the product of its members' factors.
fn spread(start: f64, factors: &[f64]) -> Vec<f64> {
    let mut product = vec![start];
    for factor in factors {
        let with: Vec<f64> = product.iter().map(|value| value * factor).collect();
        product.extend(with);
    }
    product
}

/// A small seeded generator (`SplitMix64`, Steele 2014): the same patients on every machine.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Uniform in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform below a bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.unit() * bound as f64) as usize
    }

    /// Standard normal (Box and Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}
