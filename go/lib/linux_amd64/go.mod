module github.com/barograph/barograph/go/lib/linux_amd64

go 1.24
