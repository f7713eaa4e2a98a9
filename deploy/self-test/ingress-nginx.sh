#!/bin/bash
# Attacks your own set-up behind ingress-nginx from outside, with $URL and $TOKEN. docs/proxies/ingress-nginx.md explains it.
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
wrong=0
mark=forged-$RANDOM$RANDOM
field() { sed -n "s/.*\"$1\": *\[*\"\([^\"]*\)\".*/\1/p"; }
ask() { curl -s --http1.1 --path-as-is --max-time 10 -D "$work/head" -o "$work/body" -w '%{http_code}' "$@"; }
bearer() { for token; do printf 'header = "Authorization: Bearer %s"\n' "$token"; done; }
with_token() { ask -K <(bearer "$TOKEN") "$@"; }
expect() {
  if [ "$2" = "$3" ]; then echo "ok    $1"; else echo "WRONG $1: ${3:-nothing}, not $2"; wrong=$((wrong + 1)); fi
}
# which of several places refuses does not matter
refused() { case $1 in 400 | 403 | 404) echo refused ;; *) echo "$1" ;; esac; }
forged=(-H "X-Forwarded-User: $mark" -H "x-forwarded-email: $mark" -H "X-Forwarded-Groups: $mark"
  -H "X-Forwarded-Scopes: $mark" -H "X-Forwarded-Client: $mark" -H "X-User-Id: $mark" -H "X-USER-NAME: $mark"
  -H "X_Forwarded_User: $mark" -H "X.Forwarded.User: $mark" -H "X_User_Id: $mark" -H "X-Forwarded_Groups: $mark")

echo '-- without a token'
expect 'the server asks for a login' 401 "$(ask "$URL")"
expect 'its challenge is one line' 1 "$(grep -ci '^www-authenticate:' "$work/head")"
document=$(sed -n 's/.*resource_metadata="\([^"]*\)".*/\1/p' "$work/head")
expect 'its challenge names a document' 200 "$(ask "$document")"
expect 'the document is about this URL' "$URL" "$(field resource <"$work/body")"
issuer=$(field authorization_servers <"$work/body")
expect 'the login it names has a document' 200 "$(ask "$issuer/.well-known/oauth-authorization-server")"
expect 'a made-up token' 401 "$(ask -H "Authorization: Bearer $mark" "$URL")"
expect 'identity headers instead of a token' 401 "$(ask "${forged[@]}" "$URL")"
expect 'headers that claim another path' 401 "$(ask -H 'X-Original-URL: http://x.invalid/' -H 'X-Forwarded-Uri: /token' "$URL")"
expect 'headers that claim another method' 401 "$(ask -H 'X-Original-Method: OPTIONS' -H 'X-Forwarded-Method: OPTIONS' "$URL")"
for path in /auth /auth/nginx /auth/nginx/r/x /verify /authenticate /_ws_tunnel /healthz /readyz /metrics; do
  expect "$path from outside" 404 "$(ask -H "X-Original-URL: $URL" -H 'X-Original-Method: GET' "$issuer$path")"
done

echo '-- with the token'
plain=$(with_token -H "X-Self-Test: $mark" "$URL")
case $plain in 401 | 403 | 404 | 5?? | 000) open="refused ($plain)" ;; *) open=open ;; esac
expect 'the token opens the server' open "$open"
grep -q "$mark" "$work/body" && echoes=yes || echoes=no
expect 'headers that claim another server' "$plain" "$(with_token -H 'X-Original-URL: http://x.invalid/' -H 'X-Forwarded-Host: x.invalid' "$URL")"
expect 'a Host that is not the one of the request line' 403 "$(with_token -H 'Host: x.invalid' --request-target "$URL" "$URL")"
expect 'the token twice' 400 "$(ask -K <(bearer "$TOKEN" "$TOKEN") "$URL")"
expect 'a web page of a foreign origin' 403 "$(with_token -H 'Origin: https://other.invalid' "$URL")"
for code in %2f %5C %00 %252f %3b %3f %23; do
  expect "$code in the path" refused "$(refused "$(with_token "$URL/..${code}x")")"
done

echo '-- what reaches the server behind'
if [ $echoes = yes ]; then
  with_token "${forged[@]}" -H "Cookie: __Host-gw_browser=$mark; gw_browser=$mark" "$URL" >/dev/null
  expect 'no identity of the client, in any spelling' 0 "$(grep -c "$mark" "$work/body")"
  expect 'no token' 0 "$(grep -cF "$TOKEN" "$work/body")"
  expect 'the identity of the token' 1 "$(grep -Eic 'x-user-id[^a-z0-9]+[ucs]_' "$work/body")"
else
  echo 'skip  it does not answer with the headers it got'
fi
echo "$wrong wrong"
