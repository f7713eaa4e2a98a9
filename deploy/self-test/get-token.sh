#!/bin/bash
# Gets an access token for the server at $URL with your browser, and prints it. docs/proxies/traefik.md explains it.
set -eu
field() { sed -n "s/.*\"$1\": *\[*\"\([^\"]*\)\".*/\1/p"; }
random() { openssl rand -hex 32; }
callback=http://127.0.0.1:8765/callback

document=$(curl -sS -D - -o /dev/null "$URL" | sed -n 's/.*resource_metadata="\([^"]*\)".*/\1/p')
issuer=$(curl -sS "$document" | field authorization_servers)
client=$(curl -sS "$issuer/register" -H 'Content-Type: application/json' \
  -d "{\"client_name\":\"Self-test\",\"redirect_uris\":[\"$callback\"],\"token_endpoint_auth_method\":\"none\"}" |
  field client_id)
verifier=$(random)
challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | openssl base64 -A | tr '+/' '-_' | tr -d '=')
state=$(random)

echo "Open this address and log in:" >&2
echo "$issuer/authorize?response_type=code&client_id=$client&redirect_uri=$callback&state=$state&resource=$URL&code_challenge=$challenge&code_challenge_method=S256" >&2
echo "Then paste the address of the page that cannot be opened:" >&2
read -r answer
case $answer in *"state=$state"*) ;; *) echo "That is the answer to another question." >&2; exit 1 ;; esac
code=$(printf %s "$answer" | sed -n 's/.*[?&]code=\([^&]*\).*/\1/p')
printf %s "grant_type=authorization_code&client_id=$client&redirect_uri=$callback&resource=$URL&code=$code&code_verifier=$verifier" |
  curl -sS "$issuer/token" -d @- | field access_token
