// The browser is found or installed by scripts/ensure-browser.mjs, so that `npm ci` needs nothing but the registry.
module.exports = { skipDownload: true };
