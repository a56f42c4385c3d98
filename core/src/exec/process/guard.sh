# Kills what a process leaves running when it ends, however it ends: the end of input is its end.
#
#   run MARK GROUP   a command has begun: the mark in its environment, and its process group
#   end MARK         nothing of it is left
trap '' HUP INT QUIT TERM
live=' '
while read -r word mark group; do
  case $word in
    run) live="$live$mark:$group " ;;
    end)
      case $live in
        *" $mark:"*)
          rest=${live#*" $mark:"}
          live="${live%%" $mark:"*} ${rest#* }"
          ;;
      esac
      ;;
  esac
done
for entry in $live; do
  kill -KILL "-${entry#*:}"
done
# What has left its group is known by its mark where the system shows environments. Again until none
# is found, as one may have started another meanwhile.
for entry in $live; do
  passes=50
  while [ $passes -gt 0 ]; do
    passes=$((passes - 1))
    found=$(grep -ls "BAROGRAPH_COMMAND=${entry%%:*}" /proc/[0-9]*/environ)
    [ -n "$found" ] || break
    for path in $found; do
      path=${path#/proc/}
      kill -KILL "${path%/environ}"
    done
  done
done
