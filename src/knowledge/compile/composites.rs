//! Composites: findings whose grade is the number of their parts that are present.

use std::collections::BTreeMap;

use super::Compiler;
use crate::knowledge::base::{Finding, Link};
use crate::knowledge::raw::{self, Located};

impl Compiler<'_, '_> {
    /// Resolves the parts of the composites. `findings` are in their final order.
    pub(super) fn join_parts(&mut self, raw: &[Located<raw::Finding>], findings: &mut [Finding]) {
        let index: BTreeMap<String, usize> =
            findings.iter().enumerate().map(|(i, finding)| (finding.id.clone(), i)).collect();
        for Located { file, offset, entry } in raw {
            let Some(&composite) = index.get(entry.id.get_ref()) else { continue };
            let mut parts = Vec::new();
            for part in &entry.parts {
                let mut members = Vec::new();
                for id in part {
                    let member = index.get(id.get_ref()).copied();
                    let free = member.filter(|&m| findings[m].part_of.is_none() && m != composite);
                    let Some(member) = free else {
                        let reason = "a part is another finding, and of one composite only";
                        self.fault(*file, id, reason);
                        continue;
                    };
                    findings[member].part_of = Some(composite);
                    members.push(member);
                }
                parts.push(members);
            }
            findings[composite].parts = parts;
            if let Some(reason) = fault_of(&findings[composite]) {
                self.report.at(*file, *offset, reason.to_owned());
            }
        }
    }
}

/// What is wrong with a finding's thresholds.
fn fault_of(finding: &Finding) -> Option<&'static str> {
    let thresholds: Vec<Option<u32>> = finding.leaks.iter().map(|leak| leak.at_least).collect();
    let of_links = |links: &[Link]| links.iter().map(|link| link.at_least).collect::<Vec<_>>();
    let groups = || finding.links.chunk_by(|a, b| a.condition == b.condition);
    if finding.parts.is_empty() {
        let graded =
            thresholds.iter().copied().chain(of_links(&finding.links)).any(|k| k.is_some());
        return graded.then_some("`at_least` is for composites, which have `parts`");
    }
    let possible = |k: &Option<u32>| k.is_some_and(|k| k > 0 && k as usize <= finding.parts.len());
    if thresholds.is_empty()
        || !thresholds.iter().all(possible)
        || !thresholds.is_sorted_by(|a, b| a < b)
    {
        return Some("a composite's leaks have rising `at_least`, from 1 to its number of parts");
    }
    if groups().any(|links| of_links(links) != thresholds) {
        return Some("each link of a composite has the thresholds of its leaks");
    }
    let falling = finding.leaks.is_sorted_by(|a, b| a.rate.mean > b.rate.mean)
        && groups().all(|links| links.is_sorted_by(|a, b| a.sensitivity.mean > b.sensitivity.mean));
    (!falling).then_some("a composite's rates fall from threshold to threshold")
}
