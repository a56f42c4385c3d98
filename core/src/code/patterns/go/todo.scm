; id: todo
; severity: info
; reason: Work is noted here and not done.
; action: Do it, or move it to where work is planned, with its reason.
; needs: TODO|FIXME|HACK|XXX

((comment) @finding
  (#mark? @finding "\\b(TODO|FIXME|HACK|XXX)\\b"))
