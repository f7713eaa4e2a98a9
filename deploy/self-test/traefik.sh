#!/bin/bash
# Attacks your own set-up behind Traefik from outside, with $URL and $TOKEN. docs/proxies/traefik.md explains it.
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
wrong=0
mark=forged-$RANDOM$RANDOM
field() { sed -n "s/.*\"$1\": *\[*\"\([^\"]*\)\".*/\1/p"; }
# ask OPTIONS URL: prints the status; the answer is in $work/head and $work/body
ask() { curl -s --http1.1 --path-as-is --max-time 10 -D "$work/head" -o "$work/body" -w '%{http_code}' "$@"; }
bearer() { for token; do printf 'header = "Authorization: Bearer %s"\n' "$token"; done; }
# with_token OPTIONS URL: the same with the token, which other people's `ps` must not show
with_token() { ask -K <(bearer "$TOKEN") "$@"; }
# expect WHAT WANTED GOT
expect() {
  if [ "$2" = "$3" ]; then echo "ok    $1"; else echo "WRONG $1: ${3:-nothing}, not $2"; wrong=$((wrong + 1)); fi
}
forged=(-H "X-Forwarded-User: $mark" -H "x-forwarded-email: $mark" -H "X-Forwarded-Groups: $mark"
  -H "X-Forwarded-Scopes: $mark" -H "X-Forwarded-Client: $mark" -H "X-User-Id: $mark" -H "X-USER-NAME: $mark"
  -H "X_Forwarded_User: $mark" -H "X.Forwarded.User: $mark" -H "X_User_Id: $mark" -H "X-Forwarded_Groups: $mark")

echo '-- without a token'
expect 'the server asks for a login' 401 "$(ask "$URL")"
document=$(sed -n 's/.*resource_metadata="\([^"]*\)".*/\1/p' "$work/head")
expect 'its challenge names a document' 200 "$(ask "$document")"
expect 'the document is about this URL' "$URL" "$(field resource <"$work/body")"
issuer=$(field authorization_servers <"$work/body")
expect 'the login it names has a document' 200 "$(ask "$issuer/.well-known/oauth-authorization-server")"
expect 'that document names the same login' "$issuer" "$(field issuer <"$work/body")"
expect 'a made-up token' 401 "$(ask -H "Authorization: Bearer $mark" "$URL")"
expect 'a made-up token in the query' 401 "$(ask "$URL?access_token=$mark")"
expect 'identity headers instead of a token' 401 "$(ask "${forged[@]}" "$URL")"
expect 'headers that claim another path' 401 "$(ask -H 'X-Forwarded-Uri: /.well-known/x' -H 'X-Original-URL: /token' "$URL")"
expect 'headers that claim another method' 401 "$(ask -H 'X-Forwarded-Method: OPTIONS' -H 'X-HTTP-Method-Override: OPTIONS' "$URL")"
expect 'an OPTIONS that is no preflight' 401 "$(ask -X OPTIONS "$URL")"
expect 'a WebSocket handshake' 401 "$(ask -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
  -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: c2l4dGVlbiBieXRlcyBvayE=' "$URL")"
for code in %2f %5C %00 %25 %3b %3f %23; do
  expect "$code in the path" 400 "$(ask "$URL/..${code}x")"
done
for path in /auth /auth/traefik /auth/traefik/r/x /_ws_tunnel /verify /authenticate /healthz /readyz /metrics; do
  expect "$path from outside" 404 "$(ask -H 'X-Forwarded-Method: GET' -H "X-Forwarded-Uri: $path" "$issuer$path")"
done

echo '-- with the token'
plain=$(with_token -H "X-Self-Test: $mark" "$URL")
case $plain in 401 | 403 | 404 | 5?? | 000) open="refused ($plain)" ;; *) open=open ;; esac
expect 'the token opens the server' open "$open"
grep -q "$mark" "$work/body" && echoes=yes || echoes=no
expect 'headers that claim another server' "$plain" "$(with_token -H 'X-Forwarded-Host: other.invalid' -H 'X-Forwarded-Uri: /other' "$URL")"
expect 'the token twice' 400 "$(ask -K <(bearer "$TOKEN" "$TOKEN") "$URL")"
expect 'the token and a made-up one' 400 "$(ask -K <(bearer "$TOKEN" "$mark") "$URL")"
expect 'the token hidden by Connection' 401 "$(with_token -H 'Connection: Authorization' "$URL")"
expect 'a web page of a foreign origin' 403 "$(with_token -H 'Origin: https://other.invalid' "$URL")"

echo '-- what reaches the server behind'
if [ $echoes = yes ]; then
  with_token "${forged[@]}" -H "Cookie: __Host-gw_browser=$mark; gw_browser=$mark" "$URL" >/dev/null
  expect 'no identity of the client, in any spelling' 0 "$(grep -c "$mark" "$work/body")"
  expect 'no token' 0 "$(grep -cF "$TOKEN" "$work/body")"
  expect 'the identity of the token' 1 "$(grep -Eic 'x-user-id[^a-z0-9]+[ucs]_' "$work/body")"
  with_token -H 'Connection: close, X-User-Id, X-Forwarded-User' "$URL" >/dev/null
  expect 'the identity, though Connection names it' 1 "$(grep -Eic 'x-user-id[^a-z0-9]+[ucs]_' "$work/body")"
else
  echo 'skip  it does not answer with the headers it got'
fi
echo "$wrong wrong"
