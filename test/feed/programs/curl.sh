#!/bin/sh
# Reads the feed with curl at each address that is given, for ever, and prints the address and the data of each message.
set -eu
places=$(mktemp -d)
trap 'rm -r "$places"' EXIT

follow() {
  place=$places/$1
  data=
  echo 0-0 >"$place"
  while :; do
    curl -sN -H "Last-Event-ID: $(cat "$place")" "$2" | while IFS= read -r line; do
      case $line in
        'id: '*) id=${line#id: } ;;
        'data: '*) data=${line#data: } ;;
        '')
          [ -z "$data" ] || printf '%s %s\n' "$2" "$data"
          [ -z "$data" ] || echo "$id" >"$place"
          data=
          ;;
      esac
    done
    sleep 1
  done
}

number=0
for url; do
  number=$((number + 1))
  follow "$number" "$url" &
done
wait
