//! Which authors are programs: by what services sign with, never by a part of a word, as there are
//! people called Abbot, Talbot and Bot.

/// Names that services sign with, lower case.
const NAMES: &[&str] = &[
    "all-contributors",
    "allcontributors",
    "bors",
    "codecov-io",
    "copybara-service",
    "deepsource-autofix",
    "dependabot",
    "dependabot-preview",
    "dependabot preview",
    "docker library bot",
    "fossabot",
    "github action",
    "github actions",
    "github-actions",
    "gitlab ci",
    "gitpod-io",
    "google-java-format",
    "greenkeeper",
    "homu",
    "imgbot",
    "jenkins",
    "jenkins ci",
    "k8s-ci-robot",
    "kubernetes submit queue",
    "lgtm-com",
    "mend-for-github-com",
    "mergify",
    "openstack proposal bot",
    "openstack release bot",
    "pre-commit-ci",
    "pyup-bot",
    "pyup.io bot",
    "renovate",
    "renovate bot",
    "restyled commits",
    "rust-highfive",
    "rust-timer",
    "scala steward",
    "semantic-release-bot",
    "snyk bot",
    "snyk-bot",
    "the gitter badger",
    "transifex-integration",
    "travis ci",
    "weblate",
    "whitesource bolt",
    "zuul",
];

/// Addresses that services sign with, lower case.
const ADDRESSES: &[&str] = &[
    "action@github.com",
    "actions@github.com",
    "badger@gitter.im",
    "bot@pyup.io",
    "bot@renovateapp.com",
    "bot@stepsecurity.io",
    "github-bot@pyup.io",
    "infra-root@openstack.org",
    "jenkins@review.openstack.org",
    "k8s-merge-robot@users.noreply.github.com",
    "mergify@mergify.io",
    "noreply@weblate.org",
    "openstack-infra@lists.openstack.org",
    "release-please@google.com",
    "semantic-release-bot@martynus.net",
    "snyk-bot@snyk.io",
    "support@dependabot.com",
    "support@greenkeeper.io",
    "zuul@review.opendev.org",
];

/// What the login of a program ends in; a login has no space in it.
const ENDINGS: &[&str] = &["-bot", "_bot", "-robot", "-ci-bot", "-autoroller"];

/// Whether a program made the commits that are signed like this.
pub(super) fn is_bot(name: &str, email: &str) -> bool {
    let (name, email) = (name.trim().to_lowercase(), email.trim().to_lowercase());
    if name.ends_with("[bot]") || NAMES.contains(&name.as_str()) || ADDRESSES.contains(&email.as_str()) {
        return true;
    }
    let login = |text: &str| !text.contains(' ') && ENDINGS.iter().any(|ending| text.ends_with(ending));
    // GitHub's addresses are `login@users.noreply.github.com`, mostly with `number+` before.
    let hidden = email.strip_suffix("@users.noreply.github.com");
    let account = hidden.map(|local| local.split_once('+').map_or(local, |(_, login)| login));
    login(&name)
        || account
            .is_some_and(|account| account.ends_with("[bot]") || NAMES.contains(&account) || login(account))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_known_by_name_or_address() {
        for (name, email) in [
            ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com"),
            ("Renovate Bot", "bot@renovateapp.com"),
            ("renovate", "29139614+renovate[bot]@users.noreply.github.com"),
            ("GitHub Actions", "actions@github.com"),
            ("ci", "41898282+github-actions[bot]@users.noreply.github.com"),
            ("pre-commit-ci[bot]", ""),
            ("semantic-release-bot", "semantic-release-bot@martynus.net"),
            ("OpenStack Proposal Bot", "openstack-infra@lists.openstack.org"),
            ("Zuul", "zuul@review.opendev.org"),
            ("k8s-ci-robot", "k8s-ci-robot@users.noreply.github.com"),
            ("gopherbot", "x-bot@users.noreply.github.com"),
            ("acme-deploy-bot", "ops@example.org"),
            (" Scala Steward ", "me@example.org"),
            ("Mergify", "37929162+mergify[bot]@users.noreply.github.com"),
        ] {
            assert!(is_bot(name, email), "{name} <{email}>");
        }
    }

    #[test]
    fn people_are_not_hit() {
        for (name, email) in [
            ("Ada Abbot", "abbot@example.org"),
            ("John Talbot", "jtalbot@example.org"),
            ("Rick Bot", "rick.bot@example.org"),
            ("Anne-Marie Cabot", "cabot@example.org"),
            ("Robot", "robot@example.org"),
            ("Botond", "bot@example.org"),
            ("Marie Tur-Bot", "marie@example.org"),
            ("Jenkins Smith", "jenkins@example.org"),
            ("Ann", "12345+ann@users.noreply.github.com"),
            ("talbot", "9+talbot@users.noreply.github.com"),
            ("GitHub", "noreply@github.com"),
            ("No Reply", "noreply@example.org"),
            ("Renée Renovate", "r@example.org"),
            ("", ""),
        ] {
            assert!(!is_bot(name, email), "{name} <{email}>");
        }
    }
}
