; id: leaked-key
; severity: critical
; reason: It has the form of a key to a service that is in use, and whoever can read the code can use it.
; action: Withdraw the key, make a new one, and keep that in the environment or a secret store.
; needs: AKIA|ASIA|ghp_|gho_|ghu_|ghs_|ghr_|github_pat_|glpat-|xox|hooks.slack|k_live_|SG.|npm_|pypi-|AIza|ya29.|PRIVATE KEY|eyJ
; not-in: tests

((string_literal) @finding
  (#secret? @finding))
