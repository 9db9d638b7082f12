// Tells of node's tests in the suites' own words, one line a case.

export default async function* lines(events) {
  for await (const { type, data } of events) {
    switch (type) {
      case 'test:pass':
        if (data.skip !== undefined) yield `skip dashboard ${data.name}: ${data.skip}\n`;
        else if (data.details.type !== 'suite') yield `ok dashboard ${data.name} (${(data.details.duration_ms / 1000).toFixed(2)}s)\n`;
        break;
      case 'test:fail':
        // A suite fails for its cases, which were told, or in what comes before and after them.
        if (data.details.error.failureType === 'subtestsFailed') break;
        yield `not ok dashboard ${data.name}\n`;
        yield `${(data.details.error.cause?.stack ?? data.details.error.stack ?? data.details.error.message).replace(/^/gm, '    ')}\n`;
        break;
      case 'test:diagnostic':
        if (/^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(data.message)) break;
        yield `# ${data.message}\n`;
        break;
      case 'test:stdout':
      case 'test:stderr':
        yield data.message;
        break;
      default:
    }
  }
}
