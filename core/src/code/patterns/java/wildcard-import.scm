; id: wildcard-import
; severity: minor
; reason: Names come in that nobody can see here, and a new one can hide another.
; action: Import the names that are used, or the module itself.
; needs: .*
; not-in: tests, __init__.py

(import_declaration (asterisk)) @finding
