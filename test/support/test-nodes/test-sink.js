// A node of the tests only: hands every message to whoever waits in the same process.
module.exports = (RED) => {
  RED.nodes.registerType('test-sink', function (def) {
    RED.nodes.createNode(this, def);
    this.on('input', (msg, _send, done) => {
      RED.events.emit(`test-sink:${this._alias ?? this.id}`, msg);
      done();
    });
  });
};
