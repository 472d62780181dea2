// Opens pages in a headless Chromium, 1280 and 390 pixels wide, light and dark, and lets axe-core look for what people cannot read or reach.
//
//	node scripts/axe.mjs axe.min.js CHROMIUM [--pictures FOLDER] PAGE.html...
//
// Ends with 1 where axe finds a serious or critical fault, where a page is wider than its window, or where it asks the network for something. With
// --pictures each view is kept as a picture. The browser is spoken to through a pipe, so that nothing has to be installed beside it.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const args = process.argv.slice(2);
const [axe, chromium] = args.splice(0, 2);
let pictures = "";
if (args[0] === "--pictures") {
	pictures = args[1];
	mkdirSync(pictures, { recursive: true });
	args.splice(0, 2);
}
if (args.length === 0) {
	console.error("want axe.min.js, the browser, and pages");
	process.exit(2);
}
const source = readFileSync(axe, "utf8");
const profile = mkdtempSync(join(tmpdir(), "axe-"));
const browser = spawn(chromium, ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
	`--user-data-dir=${profile}`, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
browser.on("error", (e) => { console.error(`${chromium}: ${e.message}`); process.exit(1); });

// send asks the browser, which answers with messages that end with a zero byte.
let last = 0, rest = Buffer.alloc(0);
const waiting = new Map(), events = [];
browser.stdio[4].on("data", (part) => {
	rest = Buffer.concat([rest, part]);
	for (let end; (end = rest.indexOf(0)) >= 0; rest = rest.subarray(end + 1)) {
		const message = JSON.parse(rest.subarray(0, end).toString());
		if (waiting.has(message.id)) {
			const { done, failed } = waiting.get(message.id);
			waiting.delete(message.id);
			message.error ? failed(new Error(message.error.message)) : done(message.result);
		} else {
			events.push(message);
		}
	}
});
function send(method, params = {}, sessionId = undefined) {
	const id = ++last;
	browser.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
	return new Promise((done, failed) => waiting.set(id, { done, failed }));
}

const views = [];
for (const width of [1280, 390]) {
	for (const scheme of ["light", "dark"]) views.push({ width, scheme });
}
let faults = 0;
try {
	const { targetId } = await send("Target.createTarget", { url: "about:blank" });
	const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
	const call = (method, params) => send(method, params, sessionId);
	const value = async (expression) => {
		const r = await call("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
		if (r.exceptionDetails) throw new Error(r.exceptionDetails.exception?.description ?? r.exceptionDetails.text);
		return r.result.value;
	};
	await call("Page.enable");
	await call("Network.enable");
	await call("Page.setBypassCSP", { enabled: true });
	for (const page of args) {
		for (const { width, scheme } of views) {
			const name = `${page}, ${width} px, ${scheme}`;
			await call("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: width < 500 });
			await call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
			events.length = 0;
			const url = pathToFileURL(resolve(page)).href;
			await call("Page.navigate", { url });
			while (await value("document.readyState") !== "complete" || await value("location.href") !== url) await new Promise((go) => setTimeout(go, 50));
			const foreign = events.filter((e) => e.method === "Network.requestWillBeSent" && !/^(file|data|blob|about):/.test(e.params.request.url));
			const wide = await value("document.documentElement.scrollWidth - document.documentElement.clientWidth");
			if (pictures) {
				const { cssContentSize } = await call("Page.getLayoutMetrics");
				const clip = { x: 0, y: 0, width, height: Math.min(cssContentSize.height, 6000), scale: 1 };
				const { data } = await call("Page.captureScreenshot", { clip, captureBeyondViewport: true });
				writeFileSync(join(pictures, `${basename(page, ".html")}-${width}-${scheme}.png`), Buffer.from(data, "base64"));
			}
			await value("document.querySelectorAll('details').forEach((d) => { d.open = true })");
			await call("Runtime.evaluate", { expression: source });
			const found = await value("axe.run(document, { resultTypes: ['violations'] }).then((r) => ({ passes: r.passes.length, violations: " +
				"r.violations.map((v) => ({ id: v.id, impact: v.impact, help: v.help, at: v.nodes.slice(0, 3).map((n) => n.target.join(' ')) })) }))");
			const serious = found.violations.filter((v) => v.impact === "serious" || v.impact === "critical");
			for (const v of found.violations) console.log(`${name}: ${v.impact}: ${v.id}: ${v.help}: ${v.at.join("; ")}`);
			for (const e of foreign) console.log(`${name}: asks the network for ${e.params.request.url}`);
			if (wide > 0) console.log(`${name}: ${wide} pixels wider than its window`);
			if (found.passes === 0) throw new Error(`${name}: axe looked at nothing`);
			faults += serious.length + foreign.length + (wide > 0 ? 1 : 0);
			console.log(`${name}: ${found.passes} rules hold, ${found.violations.length} do not, ${serious.length} of these serious`);
		}
	}
} finally {
	const gone = new Promise((done) => browser.on("exit", done));
	browser.kill();
	await gone;
	rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(faults > 0 ? 1 : 0);
