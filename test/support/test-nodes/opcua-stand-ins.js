// Nodes of the tests only. They have the type names, settings and outputs of node-red-contrib-opcua 0.2.354; whoever waits in
// the same process is the server.
module.exports = (RED) => {
  RED.nodes.registerType(
    'OpcUa-Endpoint',
    function (def) {
      RED.nodes.createNode(this, def);
      this.endpoint = def.endpoint;
    },
    { credentials: { user: { type: 'text' }, password: { type: 'password' } } },
  );
  RED.nodes.registerType('OpcUa-Client', function (def) {
    RED.nodes.createNode(this, def);
    const { endpoint, credentials } = RED.nodes.getNode(def.endpoint);
    const answer = (outputs) => {
      for (const [output, messages] of outputs.entries()) {
        for (const msg of messages) this.send([0, 1, 2].map((i) => (i === output ? msg : null)));
      }
    };
    RED.events.emit('test-opcua:client', { endpoint, credentials, answer });
    this.on('input', (msg) => {
      RED.events.emit('test-opcua', { ...msg }, answer);
      // The answer is written into the message that came.
      Object.assign(msg, { payload: undefined, topic: [] });
    });
  });
};
