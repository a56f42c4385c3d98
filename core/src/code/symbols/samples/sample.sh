#!/bin/bash
source ./lib.sh
. "$HOME/.env"
readonly LIMIT=3
name=x
name=y
export PATH_OF=1
export name
greet() {
  local who=$1
  echo "hi $who"
  inner_var=2
}
function other { greet "$@" | grep x && $(make_it); }
greet world
