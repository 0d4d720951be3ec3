// A node of the tests only: stands for modbus-flex-getter and modbus-flex-write. Whoever waits in the same process answers.
module.exports = (RED) => {
  RED.nodes.registerType('test-modbus', function (def) {
    RED.nodes.createNode(this, def);
    this.on('input', (msg, send, done) => {
      const answer = (payload) => send([{ ...msg, payload }, null]);
      // With an error nothing but the topic comes back.
      const fail = (error) => send([{ topic: msg.topic, payload: '', error }, null]);
      RED.events.emit('test-modbus', def.stands, msg.payload, answer, fail);
      done();
    });
  });
};
