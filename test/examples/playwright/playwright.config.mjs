// Without CHROMIUM, Playwright uses the browser that `npx playwright install chromium` fetches.
const { CHROMIUM: executablePath } = process.env;

// oxlint-disable-next-line import/no-default-export -- Playwright reads this export
export default {
  testMatch: "orders.mjs",
  reporter: "line",
  use: { launchOptions: executablePath ? { executablePath, args: ["--no-sandbox"] } : {} },
};
