#!/usr/bin/env bash
# Tests the page in a clean machine, sourced by .ci/run: all of it where there is a Chromium or, as root on Debian, one can
# be installed; else without a browser, and a line here says so. Leaves status=1 where something failed.

page_browser() {
    local name
    for name in "${CHROMIUM:-chromium}" google-chrome chromium-browser; do command -v "$name" && return; done
    [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null || return 1
    apt-get update -qq > /dev/null 2>&1
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium > /dev/null 2>&1 || return 1
    command -v chromium
}

if ! command -v npm > /dev/null; then
    echo "The page was not tested: there is no Node here."
elif CHROMIUM=$(page_browser); then
    export CHROMIUM
    make web-test || status=1
else
    echo "The page was not tested in a browser: there is no Chromium, and it cannot be installed."
    make web-check || status=1
fi
