// Where a kernel's socket is. Over `ipc` Jupyter names a file by what it calls a port: `<ip>-1`.

/**
 * @param {{ transport: string, ip: string }} connection of the connection file
 * @param {number} port
 */
function address({ transport, ip }, port) {
  return `${transport}://${ip}${transport === 'ipc' ? '-' : ':'}${port}`;
}

module.exports = { address };
