module github.com/barograph/barograph/tests/kill

go 1.24

require github.com/barograph/barograph/go v0.1.0

require github.com/barograph/barograph/go/lib/linux_amd64 v0.1.0 // indirect

replace github.com/barograph/barograph/go => ../../../go

replace github.com/barograph/barograph/go/lib/linux_amd64 => ../../../go/lib/linux_amd64
