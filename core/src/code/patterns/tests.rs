use super::*;
use crate::base::cancel::CancelToken;
use crate::code::language::Language;
use crate::code::parse::Reader;

#[test]
fn every_rule_compiles() {
    let rules = Rules::built_in();
    let mut wrong = Vec::new();
    for language in Language::all().filter(|language| language.grammar().is_some()) {
        let grammar = language.grammar().unwrap();
        for (at, rule) in rules.list().iter().enumerate() {
            if rule.languages.contains(&language)
                && !rule.source.is_empty()
                && let Err(error) = rules.join(language, &grammar, vec![at])
            {
                wrong.push(format!("{}: {error}", language.name()));
            }
        }
        if wrong.is_empty()
            && let Err(error) = rules.set(language)
        {
            wrong.push(format!("{}: {error}", language.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
