module github.com/barograph/barograph/go

go 1.24

require github.com/barograph/barograph/go/lib/linux_amd64 v0.1.0

// In this repository the library lies beside; a release serves it as a module of its own, and a
// replacement in a dependency counts for nobody else.
replace github.com/barograph/barograph/go/lib/linux_amd64 => ./lib/linux_amd64
